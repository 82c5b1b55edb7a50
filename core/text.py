"""The one way that text becomes comparable: NFKC, casefold, single blanks."""

from __future__ import annotations

import contextlib
import unicodedata


def norm(value: str) -> str:
    """Return value for comparing without regard to case, width or composition; see every `*_norm` column."""
    if value.isascii():  # nothing to compose: the usual case at a tenth of the price
        return " ".join(value.lower().replace("\x00", "").split())
    folded = unicodedata.normalize("NFKC", value).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).replace("\x00", "").split())


def norm_email(value: str) -> str:
    """Return an email address for comparing: as `norm`, the domain in its ASCII form."""
    address = norm(value).replace(" ", "")
    local, at, domain = address.rpartition("@")
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    return f"{local}{at}{domain}"
