"""Search words: what a contact or company is found by, and writing them set-based.

A search is `word ^@ 'prefix'` on SearchWord, which keeps its index under row-level security. Phones are kept also
reversed, so their last digits find them. A contact is found by its company through the company's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from core.text import norm, norm_email

CONTACT, COMPANY, SALE, REQUEST = "contact", "company", "sale", "request"
LONGEST = 100
_NO_DIGIT = re.compile(r"\D+")
_SPLIT = re.compile(r"[\s.,;:/\\()\[\]{}<>\"'`´’|&+@_\-–—]+")


def words_of_text(text: str) -> set[str]:
    """Return the words of a name or address."""
    return {word[:LONGEST] for word in _SPLIT.split(norm(text)) if word}


def words_of_contact(*, first_name: str, last_name: str, email: str, phones: Iterable[str] = ()) -> set[str]:
    """Return what a contact is found by."""
    words = words_of_text(first_name) | words_of_text(last_name) | words_of_text(email)
    if email:
        words.add(norm_email(email)[:LONGEST])
    return words | _words_of_phones(phones)


def words_of_company(*, name: str, phones: Iterable[str] = ()) -> set[str]:
    """Return what a company is found by."""
    return words_of_text(name) | _words_of_phones(phones)


def _words_of_phones(phones: Iterable[str]) -> set[str]:
    words: set[str] = set()
    for phone in phones:
        digits = _NO_DIGIT.sub("", phone)[:LONGEST]
        if digits:
            words |= {digits, digits[::-1]}
    return words


def search_words(query: str) -> list[str]:
    """Return the prefixes that must all be found, most telling first; an address stays whole."""
    text = query.strip()
    if "@" in text and " " not in text:
        return [norm_email(text)[:LONGEST]]
    digits = re.sub(r"[\s()+./-]", "", text)
    if digits.isdecimal() and len(digits) >= 4:
        return [digits[:LONGEST]]
    return sorted(words_of_text(text), key=len, reverse=True)


_GONE = """
DELETE FROM crm_searchword s
WHERE s.tenant_id = %s::bigint AND s.kind = %s::text AND s.object_id = ANY(%s::bigint[])
  AND NOT EXISTS (
    SELECT 1 FROM unnest(%s::bigint[], %s::text[]) AS w (object_id, word)
    WHERE w.object_id = s.object_id AND w.word = s.word
  )
"""
_NEW = """
INSERT INTO crm_searchword (tenant_id, kind, object_id, word)
SELECT %s::bigint, %s::text, w.object_id, w.word FROM unnest(%s::bigint[], %s::text[]) AS w (object_id, word)
"""
_MISSING = f"{_NEW}ON CONFLICT DO NOTHING"


def write_words(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    kind: str,
    words: Mapping[int, Iterable[str]],
    are_new: bool = False,
) -> None:
    """Make these the words of each object: two statements, one where the objects are new and have none yet."""
    if not words:
        return
    # By word, so that neighbours of the index are written together.
    pairs = sorted((word, object_id) for object_id, found in words.items() for word in found)
    ids, texts = [pair[1] for pair in pairs], [pair[0] for pair in pairs]
    if not are_new:
        cursor.execute(_GONE, [tenant_id, kind, list(words), ids, texts])
    cursor.execute(_NEW if are_new else _MISSING, [tenant_id, kind, ids, texts])
