"""Reads an MJML source and says what is wrong with it, with line and column: the compiler itself says next to nothing.

Well-formed? Known elements, each where it belongs? Links that may be followed? Merge tags hidden first (content.tags).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from content.elements import CHILDREN, KNOWN, LINK_ATTRIBUTE, LOOSE_TAGS_IN, REFUSED, VOID
from content.links import link_problem
from content.problems import Problem, problem_at
from content.tags import TAG, masked

MAX_SOURCE = 300_000
_PIECE = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>"
    r"|</(?P<close>[A-Za-z][\w:.-]*)\s*>"
    r"|<(?P<open>[A-Za-z][\w:.-]*)(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>"
    r"|<",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=/\"'<>]+)(\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_EVENT_ATTRIBUTE = re.compile(r"on[a-z]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Opened:
    """An element that is open while reading."""

    name: str
    offset: int


@dataclass(slots=True)
class Markup:
    """What reading found. `loose` are the spans of control tags that stand between blocks."""

    problems: list[Problem] = field(default_factory=list)
    loose: list[tuple[int, int]] = field(default_factory=list)
    elements: set[str] = field(default_factory=set)


class Reader:
    """One reading of one source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.hidden = masked(source)
        self.found = Markup()
        self.stack: list[Opened] = []

    def read(self) -> Markup:
        """Read to the end or to the first fault that makes the rest unreadable."""
        if len(self.source) > MAX_SOURCE:
            return Markup([Problem("mjml", f"The content is longer than {MAX_SOURCE:,} characters.")])
        end = 0
        for piece in _PIECE.finditer(self.hidden):
            self._text(end, piece.start())
            end = piece.end()
            if piece.group() == "<":
                self._say(piece.start(), "This “<” begins no element. Write &lt; for the character itself.")
                return self.found
            if piece["close"]:
                if not self._close(piece["close"], piece.start()):
                    return self.found
            elif piece["open"]:
                self._open(piece)
        self._text(end, len(self.hidden))
        self._end()
        return self.found

    def _say(self, offset: int, message: str) -> None:
        self.found.problems.append(problem_at("mjml", self.source, offset, message))

    def _open(self, piece: re.Match[str]) -> None:
        name, offset = piece["open"].lower(), piece.start()
        self._placed(name, offset)
        self._attributes(name, piece)
        self.found.elements.add(name)
        if not piece["empty"] and name not in VOID:
            self.stack.append(Opened(name, offset))

    def _placed(self, name: str, offset: int) -> None:
        parent = self.stack[-1].name if self.stack else ""
        if name in REFUSED:
            self._say(offset, REFUSED[name])
        elif (name == "mjml" or name.startswith("mj-")) and name not in KNOWN:
            self._say(offset, f"There is no element “{name}”.")
        elif not parent and name != "mjml":
            self._say(offset, f"The content begins with <mjml>; “{name}” must stand inside it.")
        elif parent in CHILDREN and name not in CHILDREN[parent]:
            places = sorted(place for place, inside in CHILDREN.items() if name in inside)
            where = (
                f"belongs inside {' or '.join(places)}" if places else "must stand inside mj-text or mj-raw"
            )
            self._say(offset, f"“{name}” cannot stand directly inside “{parent}”: it {where}.")

    def _attributes(self, name: str, piece: re.Match[str]) -> None:
        start = piece.start("attributes")
        for attribute in _ATTRIBUTE.finditer(piece["attributes"]):
            offset = start + attribute.start()
            key, value = attribute[1].lower(), attribute[3]
            if TAG.search(self.source, offset, start + attribute.end(1)):
                self._say(
                    offset, "A merge tag can stand inside the value of an attribute, not in place of one."
                )
            elif value is None and name.startswith("mj-"):
                self._say(offset, f'The attribute “{key}” has no value: write {key}="…".')
            elif value is not None and value[0] not in "\"'":
                self._say(offset, f"Put the value of “{key}” in quotation marks.")
            elif _EVENT_ATTRIBUTE.fullmatch(key):
                self._say(offset, f"Mail programs do not run scripts: take “{key}” out.")
            elif value is not None:
                self._value(name, key, start + attribute.start(3) + 1, start + attribute.end(3) - 1)

    def _value(self, name: str, key: str, start: int, end: int) -> None:
        value = html.unescape(self.source[start:end])
        message = None
        if LINK_ATTRIBUTE.get(name) == key:
            message = link_problem(value)
        elif key in {"src", "background-url", "background"} and ":" in value.split("/", 1)[0]:
            message = (
                None
                if re.match(r"(?i)https?:", value.strip())
                else "An image's address begins with https://."
            )
        if message:
            self._say(start, message)

    def _close(self, name: str, offset: int) -> bool:
        name = name.lower()
        if name in VOID:
            return True
        if not self.stack:
            self._say(offset, f"“{name}” is closed here but was never opened.")
            return False
        opened = self.stack.pop()
        if opened.name != name:
            line, column = self._at(opened.offset)
            self._say(
                offset, f"“{opened.name}” of line {line}, column {column} must be closed before “{name}”."
            )
            return False
        return True

    def _at(self, offset: int) -> tuple[int, int]:
        place = problem_at("mjml", self.source, offset, "")
        return place.line, place.column

    def _text(self, start: int, end: int) -> None:
        """Judge what stands between two elements."""
        parent = self.stack[-1].name if self.stack else ""
        if parent and parent not in CHILDREN:
            return
        text = self.source[start:end]
        if not text.strip():
            return
        offset = start + len(text) - len(text.lstrip())
        rest = TAG.sub("", text)
        controls = not re.search(r"\{\{", text)
        if parent in LOOSE_TAGS_IN and not rest.strip() and controls:
            self.found.loose.append((offset, start + len(text.rstrip())))
        else:
            where = f"directly inside “{parent}”" if parent else "outside <mjml>"
            self._say(offset, f"Text cannot stand {where}: put it inside mj-text.")

    def _end(self) -> None:
        for opened in self.stack:
            self._say(opened.offset, f"“{opened.name}” is opened here but never closed.")
        if not self.found.problems and "mj-body" not in self.found.elements:
            self.found.problems.append(
                Problem("mjml", "The content needs <mjml> with an <mj-body> inside.", 1, 1)
            )


def read_markup(source: str) -> Markup:
    """Return what is wrong with an MJML source, and where its loose control tags stand."""
    return Reader(source).read()
