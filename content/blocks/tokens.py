"""Merge tags among words as tokens: one piece each, with a name that people know. Pure.

On the drag-and-drop canvas a tag is a piece that the caret steps over: words are written around it, never into it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

from content.tags import TAG, masked
from content.tree import MergeField

_ELEMENT = re.compile(r"<[^<>\"']*(?:\"[^\"]*\"[^<>\"']*|'[^']*'[^<>\"']*)*>")
_TOKEN = re.compile(r"<span\b[^<>]*?\bdata-merge=\"([^\"<>]*)\"[^<>]*>[^<]*</span>")
_LONGEST = 40


def names_of(groups: Mapping[str, Iterable[MergeField]]) -> dict[str, str]:
    """Return a name for each path, as the menu of merge tags has it; what is not of the contact says of whom it is."""
    return {
        item.path.partition("|")[0]: item.label
        if group in {"Contact", "Us", "Links"}
        else f"{group}: {item.label}"
        for group, items in groups.items()
        for item in items
    }


def name_of(tag: str, names: Mapping[str, str]) -> str:
    """Return what stands on a tag's token: "First name", "if contact.country == …"."""
    inside = " ".join(tag[2:-2].strip("-+ \t\n").split())
    name = names.get(inside.partition("|")[0].strip()) if tag.startswith("{{") else None
    return name or (inside if len(inside) <= _LONGEST else f"{inside[: _LONGEST - 1]}…")


def with_tokens(inner: str, names: Mapping[str, str]) -> str:
    """Return HTML with the tags among its words as tokens; those inside an element's attributes stay as they are."""
    elements = [match.span() for match in _ELEMENT.finditer(masked(inner))]

    def token(match: re.Match[str]) -> str:
        if any(start < match.start() < end for start, end in elements):
            return match[0]
        label = html.escape(name_of(match[0], names))
        return f'<span data-merge="{quote(match[0], safe="")}">{label}</span>'

    return TAG.sub(token, inner)


def without_tokens(inner: str) -> str:
    """Return HTML with each token as the tag that it stands for."""
    return _TOKEN.sub(lambda match: unquote(match[1]), inner)
