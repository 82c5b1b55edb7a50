"""The languages that our own texts for recipients are written in, and which of them somebody reads.

The texts lie in locale/<language>/LC_MESSAGES/django.po; what users of Millrace see stays English. Must not know pages.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from babel import Locale
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from core.text import norm

ENGLISH = "en"
# Code as Django has it, and the language's name. A test looks for each one's catalog.
TEXTS_IN = {
    "ar": "Arabic", "da": "Danish", "nl": "Dutch", ENGLISH: "English", "fr": "French", "de": "German",
    "nb": "Norwegian", "es": "Spanish", "sv": "Swedish",
}  # fmt: skip
# Who reads these reads that.
_CLOSE = {"no": "nb", "nn": "nb"}
# Their own letters stand behind the z.
_OWN_LETTERS = frozenset({"da", "nb", "sv"})


def spoken(*wanted: str, accepted: str = "") -> str:
    """Return the first of the wanted languages that we have texts in, with or without its region; else the first that a
    browser accepts (an Accept-Language header); else English."""
    browsers = (code for code, _ in parse_accept_lang_header(accepted[:500]))
    return next((ours for code in (*wanted, *browsers) if (ours := written_in(code))), ENGLISH)


def written_in(code: str) -> str:
    """Return which of our texts somebody of a language reads; "" where there are none."""
    whole = code.lower().replace("_", "-")
    candidates = (_CLOSE.get(one, one) for one in (whole, whole.partition("-")[0]))
    return next((one for one in candidates if one in TEXTS_IN), "")


@contextmanager
def speaking(request: HttpRequest, *wanted: str) -> Iterator[None]:
    """Say our own texts in one of these languages, or in one of the browser's. The innermost says."""
    with translation.override(spoken_to(request, *wanted)):
        yield


def spoken_to(request: HttpRequest, *wanted: str) -> str:
    """Return the first of these languages that we have texts in, else one of the browser's, else English."""
    return spoken(*wanted, accepted=request.headers.get("Accept-Language", ""))


def is_speaking() -> bool:
    """Say whether a language of recipients was chosen already: our own pages are in British English."""
    return translation.get_language() in TEXTS_IN


def sort_key(language: str) -> Callable[[str], str]:
    """Return how names are sorted: letters with marks beside those without, except where they end the alphabet."""
    if language in _OWN_LETTERS:
        return norm
    return lambda name: "".join(
        c for c in unicodedata.normalize("NFD", norm(name)) if not unicodedata.combining(c)
    )


@lru_cache(maxsize=len(TEXTS_IN) * 4)
def countries_in(language: str) -> dict[str, str]:
    """Return the names of countries by code (ISO 3166-1), as the language has them."""
    return dict(Locale.parse(language).territories)


@lru_cache(maxsize=len(TEXTS_IN) * 4)
def languages_in(language: str) -> dict[str, str]:
    """Return the names of languages by code as Django has it ("pt-br"), as the language has them."""
    return {code.lower().replace("_", "-"): name for code, name in Locale.parse(language).languages.items()}
