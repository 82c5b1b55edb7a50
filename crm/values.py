"""Reading what people and files write into fields: addresses, phones, dates, numbers, yes/no. Pure, never raises.

Every reader returns the value as it is kept, or None where the text is none. Used by forms, imports and updates.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator

from core.phones import read_phone as read_phone

_validate_email = EmailValidator()
_validate_url = URLValidator(schemes=["http", "https"])
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})")

_YES = """yes y true 1 x ✓ on ja j oui o si sí sim s tak t ano kyllä evet sant given agreed opt-in optin"""
_NO = """no n false 0 off nej nei nein non não nao nie ne ei hayır hayir falskt withdrawn opt-out optout"""
YES, NO = frozenset(_YES.split()), frozenset(_NO.split())


def read_email(text: str) -> str | None:
    """Return an email address as written, trimmed; None for line breaks, blanks, several @ and the like."""
    address = text.strip()
    if not address or len(address) > 254 or _CONTROL.search(text.strip("\r\n\t ")):
        return None
    try:
        _validate_email(address)
    except ValidationError:
        return None
    return address


def read_url(text: str) -> str | None:
    """Return a web address (http or https; https where none is said), or None."""
    address = text.strip()
    if "://" not in address:
        address = f"https://{address}"
    try:
        _validate_url(address)
    except ValidationError:
        return None
    return address if len(address) <= 200 else None


@lru_cache(maxsize=8192)
def read_day(text: str, order: str = "dmy") -> dt.date | None:
    """Return a date: ISO (a time after it is cut off), year first, or day and month in the order dmy or mdy."""
    text = text.strip()
    if match := _ISO.fullmatch(text) or _YEAR_FIRST.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
    elif match := _DAY_FIRST.fullmatch(text):
        first, second, year = (int(part) for part in match.groups())
        day, month = (second, first) if order == "mdy" else (first, second)
    else:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def read_decimal(text: str) -> Decimal | None:
    """Return a number of at most 15 digits and 4 decimals; knows 12,000.50, 12.000,50, 12 000 and 12000,5."""
    cleaned = re.sub(r"[\s\u00a0\u202f'’]|(?:EUR|USD|GBP|NOK|SEK|DKK|kr|€|\$|£)", "", text.strip())
    comma, dot = cleaned.rfind(","), cleaned.rfind(".")
    if comma >= 0 and dot >= 0:
        thousands, point = (",", ".") if dot > comma else (".", ",")
        cleaned = cleaned.replace(thousands, "").replace(point, ".")
    elif comma >= 0:
        # One comma with exactly three digits behind it is thousands; else it is the decimal point.
        grouped = re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", cleaned)
        cleaned = cleaned.replace(",", "" if grouped else ".")
    elif cleaned.count(".") > 1:
        cleaned = cleaned.replace(".", "")
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", cleaned):
        return None
    try:
        number = Decimal(cleaned)
    except InvalidOperation:
        return None
    return round(number, 4) if abs(number) < Decimal(10) ** 15 else None


def read_yes_no(text: str) -> bool | None:
    """Return yes as True and no as False in the usual words of several languages, else None."""
    word = text.strip().casefold()
    if word in YES:
        return True
    return False if word in NO else None
