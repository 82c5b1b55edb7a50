"""Merge tags as text: finding them in a source, hiding them from tools that would mangle them, and putting them back.

Knows nothing of what a tag means (content.sandbox) nor of MJML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

# The last alternatives are openings without an end: they are reported, never hidden.
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
OPENING = re.compile(r"\{\{|\{%|\{#")


@dataclass(frozen=True, slots=True)
class Tag:
    """A merge tag as it stands in the source."""

    text: str
    offset: int

    @property
    def is_comment(self) -> bool:
        """Whether it says nothing."""
        return self.text.startswith("{#")

    @property
    def is_control(self) -> bool:
        """Whether it is a condition or loop rather than a value."""
        return self.text.startswith("{%")


def find_tags(source: str) -> Iterator[Tag]:
    """Yield every tag, in order."""
    for match in TAG.finditer(source):
        yield Tag(match.group(), match.start())


def unclosed(source: str) -> int | None:
    """Return the offset of the first tag that is opened and never closed, or None."""
    match = OPENING.search(masked(source))
    return match.start() if match else None


def masked(source: str, fill: str = "x") -> str:
    """Return the source with every tag filled by as many letters: same length, same lines, no surprises inside."""

    def blank(match: re.Match[str]) -> str:
        return "".join(char if char == "\n" else fill for char in match.group())

    return TAG.sub(blank, source)


def unescaped(source: str) -> str:
    """Return the source with its tags freed of XML escapes: some editors write {% if a &lt; 3 %}."""
    return TAG.sub(lambda match: html.unescape(match.group()), source)


class Hidden:
    """A source whose tags were replaced by opaque words that MJML and CSS tools leave alone."""

    def __init__(self, source: str) -> None:
        self.tags: list[Tag] = []
        # A mark that the source does not hold: signed addresses may hold any letters, and must stay as they are.
        mark = "zzJ"
        while mark in source:
            mark += "Q"
        self._mark = mark
        self._words = re.compile(rf"{mark}(\d+)Jzz")
        self.source = TAG.sub(self._hide, source)

    def _hide(self, match: re.Match[str]) -> str:
        self.tags.append(Tag(match.group(), match.start()))
        return self.word(len(self.tags) - 1)

    def word(self, number: int) -> str:
        """Return the word that stands for a tag."""
        return f"{self._mark}{number}Jzz"

    def restore(self, text: str) -> str:
        """Return text with the tags back in place of their words."""
        return self._words.sub(self._show, text)

    def _show(self, match: re.Match[str]) -> str:
        return self.tags[int(match.group(1))].text

    def lost(self, text: str) -> list[Tag]:
        """Return the tags whose words are no longer in text."""
        left = {int(number) for number in self._words.findall(text)}
        return [tag for number, tag in enumerate(self.tags) if number not in left and not tag.is_comment]
