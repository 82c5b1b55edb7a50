"""Proof of work for forms: a number that costs a browser about a second to find and us one hash to check.

It is bound to the page's token, which is good for one submission: a proof cannot be used twice. Nobody outside is
asked, and nobody is kept out without it: who brings none sends under a tighter limit (content.views.public_forms).
"""

from __future__ import annotations

import hashlib

# Tried: 2^15 hashes on average, about a second in a browser, 20 ms here.
BITS = 15
_LONGEST = 12


def is_proven(token: str, proof: str) -> bool:
    """Say whether the hash of the page's token and the number begins with BITS zero bits."""
    if not proof.isascii() or not proof.isdigit() or len(proof) > _LONGEST:
        return False
    digest = hashlib.sha256(f"{token}:{proof}".encode()).digest()
    return int.from_bytes(digest[:4]) >> (32 - BITS) == 0


def find_proof(token: str) -> str:
    """Return a proof, as a browser finds it; for tests and for whoever sends forms by a program of their own."""
    number = 0
    while not is_proven(token, str(number)):
        number += 1
    return str(number)
