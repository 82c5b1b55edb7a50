"""Colleagues named in a comment: “@Bob Larsen”, or by address where two have one name. Pure text; who may be named is
given."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypedDict

from accounts.models import User


class Mention(TypedDict):
    """A colleague whom a text names, and how."""

    user: int
    name: str


def handles(users: Iterable[User]) -> list[tuple[User, str]]:
    """Return each with what stands behind the @: the name, or the address where that name is another's too."""
    named = [(user, user.get_full_name().strip()) for user in users]
    times = Counter(name.casefold() for _, name in named)
    return [(user, name if name and times[name.casefold()] == 1 else user.email) for user, name in named]


def mentioned(text: str, users: Iterable[User]) -> list[Mention]:
    """Return whom the text names, each once, in its order. The longest name at a place counts."""
    if "@" not in text:
        return []
    known = {name.casefold(): user.pk for user, name in handles(users)}
    found: dict[int, str] = {}
    for name in _pattern(known).findall(text):
        found.setdefault(known[name.casefold()], name)
    return [Mention(user=user, name=name) for user, name in found.items()]


def pieces(text: str, mentions: Sequence[Mention]) -> list[tuple[str, bool]]:
    """Cut a text into what is said and (True) the names in it."""
    if not mentions:
        return [(text, False)]
    parts = re.split(f"(@(?:{_either([one['name'] for one in mentions])})(?!\\w))", text, flags=re.IGNORECASE)
    return [(part, number % 2 == 1) for number, part in enumerate(parts) if part]


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)@({_either(names)})(?!\w)", re.IGNORECASE)


def _either(names: Iterable[str]) -> str:
    # Nobody to name: a pattern that matches nothing.
    longest = sorted(names, key=len, reverse=True)
    return "|".join(re.escape(name) for name in longest) or r"(?!)"
