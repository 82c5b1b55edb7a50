"""The filters of merge tags. A missing value goes through each of them without an error."""

from __future__ import annotations

import datetime as dt
import decimal
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.utils import dateformat
from jinja2 import Undefined, UndefinedError
from markupsafe import Markup, escape

# A value of a recipient can be long; a mail should not be.
MAX_VALUE = 10_000
# A number of more digits than this is none that anybody means; written out, 1e9999999999 would fill the memory.
MAX_DIGITS = 30
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class InLink(str):
    """Text that is encoded for a link already."""

    __slots__ = ()


def is_missing(value: Any) -> bool:
    """Say whether there is nothing to show."""
    return value is None or isinstance(value, Undefined) or value == ""


def plain(value: Any) -> Any:
    """Return a value as people read it: yes and no, dates, whole numbers without their zeros, lists with commas."""
    if type(value) is str:
        return value if len(value) <= MAX_VALUE else value[:MAX_VALUE]
    if isinstance(value, (str, Undefined)):
        return value
    for kind, show in _SHOWN.items():
        if isinstance(value, kind):
            return show(value)
    return str(value)


def _text(value: Any) -> str:
    """Return a value as text; of what has parts of its own, nothing."""
    return "" if isinstance(value, dict) else str(plain(value))


def default(value: Any, text: Any = "", boolean: bool = False) -> Any:
    """Return the text where the value is missing or empty (Jinja's own would keep empty texts)."""
    return text if is_missing(value) else value


def date(value: Any, pattern: str = "j F Y") -> str:
    """Return a date by a pattern of Django's letters: "j F Y", "d.m.Y", "Y-m-d"."""
    if isinstance(value, str) and value:
        value = _parsed_date(value)
    if not isinstance(value, dt.date):
        return ""
    try:
        return str(dateformat.format(value, str(pattern)[:40]))
    except (TypeError, AttributeError):
        # A letter for hours on a date without a time.
        return str(dateformat.format(value, "j F Y"))


def _parsed_date(text: str) -> dt.date | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def number(value: Any, decimals: Any = 0) -> str:
    """Return a number with thousands grouped: 12,431 or 12,431.50; nothing for what is no number, or too large."""
    try:
        amount = decimal.Decimal(str(value))
        if not amount.is_finite() or amount.adjusted() >= MAX_DIGITS:
            return ""
        return f"{amount:,.{max(0, min(6, int(decimals)))}f}"
    except (decimal.InvalidOperation, ValueError, TypeError, UndefinedError):
        return ""


def money(value: Any, currency: str = "EUR") -> str:
    """Return an amount with its currency: EUR 1,250.00."""
    amount = number(value, 2)
    return f"{currency} {amount}" if amount else ""


def urlencode(value: Any) -> InLink:
    """Return text for a part of a link."""
    return InLink("" if is_missing(value) else quote(_text(value)[:MAX_VALUE], safe="", errors="replace"))


def join(value: Any, separator: str = ", ") -> str:
    """Return the parts of a list with the separator between them."""
    if isinstance(value, (list, tuple)):
        return str(separator)[:20].join(_text(part) for part in value)
    return "" if is_missing(value) else _text(value)


def _on_text(change: Callable[[str], str]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if is_missing(value):
            return value
        return escape(change(value.unescape())) if isinstance(value, Markup) else change(_text(value))

    return apply


FILTERS: dict[str, Callable[..., Any]] = {
    "default": default,
    "date": date,
    "number": number,
    "money": money,
    "urlencode": urlencode,
    "upper": _on_text(str.upper),
    "lower": _on_text(str.lower),
    "capitalize": _on_text(str.capitalize),
    "trim": _on_text(str.strip),
    "join": join,
}


_SHOWN: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "yes" if value else "no",
    dt.date: date,
    decimal.Decimal: lambda value: f"{value.normalize():f}",
    list: join,
    tuple: join,
}


def in_link(value: Any) -> str:
    """Return what a tag inside a link's address shows: always encoded, once."""
    if is_missing(value) or isinstance(value, dict):
        return ""
    return value if isinstance(value, InLink) else quote(_text(value), safe="", errors="replace")


def one_line(text: str) -> str:
    """Return text for a header: no line breaks, no control characters."""
    return _CONTROL.sub("", " ".join(line for line in text.splitlines() if line)).strip()
