"""Languages of content: which of several variants a contact gets, and what languages are called. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from crm.places import LANGUAGES

T = TypeVar("T")


def language_name(code: str) -> str:
    """Return a language's English name; "" is a language that nobody named."""
    return LANGUAGES.get(code, code) if code else "Default"


def variant_for(language: str | None, variants: Mapping[str, T], default: T) -> T:
    """Return what somebody of a language gets: that language's variant, else that of the language without its region
    ("pt-br" reads "pt"), else the default."""
    wanted = (language or "").lower()
    for code in (wanted, wanted.partition("-")[0]):
        if code and code in variants:
            return variants[code]
    return default


def language_choices(*, without: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Return the languages for a select, by name."""
    return [(code, name) for code, name in LANGUAGES.items() if code not in without]
