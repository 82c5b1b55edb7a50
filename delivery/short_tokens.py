"""Tokens for the links of an SMS, where each character counts: 17 or 18 letters and digits where tenants are few.

As `delivery.tokens`, with less: 48 bits of HMAC (2^47 requests on average for one link of one SMS), and no
`-` or `_`, which phones leave out at the end of an address. A link's number follows the token; it is not signed.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Iterator
from typing import Final

from django.conf import settings

from core.signing import BadToken
from delivery.tokens import FIRST_DAY, MessageRef, key_of, pack, unpack

_PURPOSE: Final = "short"
_MAC_BYTES: Final = 6
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(_LETTERS)}
_LONGEST: Final = 40
# A message's number as it is in the first 268 million of an installation.
_USUAL_ID: Final = 2**28 - 1
# The number that stands for unsubscribing; links begin at 1.
UNSUBSCRIBE: Final = 0


def make_short_token(ref: MessageRef) -> str:
    """Return the token; the link's number is to follow."""
    payload = b"".join(map(pack, (ref.tenant_id, (ref.enrolled_on - FIRST_DAY).days, ref.message_id)))
    return _written(payload + _mac(payload, settings.SECRET_KEY))


def read_short(text: str) -> tuple[MessageRef, int]:
    """Return what a token and the number behind it name; raise BadToken for anything that we did not make."""
    # Each has one spelling: what would be read alike is none of ours.
    odd = len(text) > _LONGEST or not text.isascii() or not text.isalnum() or text.startswith("0")
    for token, number in () if odd else _cuts(text):
        raw = _read(token)
        payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        secrets = [settings.SECRET_KEY, *(str(secret) for secret in settings.SECRET_KEY_FALLBACKS)]
        if payload and any(hmac.compare_digest(mac, _mac(payload, secret)) for secret in secrets):
            tenant_id, day, message_id = unpack(payload)
            return MessageRef(tenant_id, FIRST_DAY + dt.timedelta(days=day), message_id), number
    raise BadToken("This link is not valid.")


def usual_length(tenant_id: int, today: dt.date) -> int:
    """Return how many characters a token of the tenant has, as far as that can be said before there is a message."""
    return len(make_short_token(MessageRef(tenant_id, today, _USUAL_ID)))


def _cuts(text: str) -> Iterator[tuple[str, int]]:
    """Yield each way to cut a text into token and number; nobody writes an SMS with a thousand links."""
    for digits in (1, 2, 3):
        number = text[-digits:]
        if number.isdigit() and (digits == 1 or number[0] != "0"):
            yield text[:-digits], int(number)


def _mac(payload: bytes, secret: str) -> bytes:
    return hmac.digest(key_of(_PURPOSE, secret), payload, "sha256")[:_MAC_BYTES]


def _written(raw: bytes) -> str:
    """Return bytes by letters and digits. The first byte is never 0: no tenant is."""
    number, text = int.from_bytes(raw), ""
    while number:
        number, rest = divmod(number, len(_LETTERS))
        text = _LETTERS[rest] + text
    return text


def _read(text: str) -> bytes:
    number = 0
    for letter in text:
        number = number * len(_LETTERS) + _VALUES[letter]
    return number.to_bytes((number.bit_length() + 7) // 8)
