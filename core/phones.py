"""Reading phone numbers. Pure, never raises."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers


@lru_cache(maxsize=8192)
def read_phone(text: str, country: str = "") -> str | None:
    """Return a phone number in E.164, or None where the text is none.

    Without + or 00 it needs its country and must fit its numbering plan. A number that brings its country code is
    taken as it is: plans change faster than the library's table of them.
    """
    cleaned = re.sub(r"^00", "+", text.strip())
    try:
        number = phonenumbers.parse(cleaned, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not cleaned.startswith("+") and not phonenumbers.is_possible_number(number):
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written if 8 <= len(written) <= 16 else None
