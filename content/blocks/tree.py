"""An MJML source as a tree of sections, columns and blocks, and back, without losing a word.

What stands outside mj-body stays as it is, to the letter. Inside, only white space between elements may change:
comments, control tags and elements that nobody here knows are kept as they were written. Knows no kinds of blocks.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from content.elements import VOID
from content.tags import TAG, masked

SKELETON = '<mjml>\n  <mj-body background-color="{{ brand.background }}">\n  </mj-body>\n</mjml>\n'
# Elements whose children are looked into; what is inside the others is text to us.
OPEN = frozenset({"mj-body", "mj-section", "mj-column"})
_PIECE = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>"
    r"|</(?P<close>[A-Za-z][\w:.-]*)\s*>"
    r"|<(?P<open>[A-Za-z][\w:.-]*)(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>"
    r"|<",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=/\"'<>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")


class Unreadable(ValueError):
    """The source is not well-formed; `offset` says where."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(slots=True)
class Node:
    """An element, or (name "") words between elements. `start` and `end` are its place in the source that was read.

    Attributes are plain text with merge tags; `inner` is what an element that we do not look into holds.
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    inner: str = ""
    children: list[Node] = field(default_factory=list)
    start: int = -1
    end: int = -1

    @property
    def is_open(self) -> bool:
        """Whether its children are looked into."""
        return self.name in OPEN


@dataclass(slots=True)
class Document:
    """A source: what stands before mj-body, mj-body, what stands after it."""

    before: str
    body: Node
    after: str

    def find(self, path: str) -> Node | None:
        """Return the node at a path: "2.0.1" is the second block in the first column of the third section."""
        node: Node | None = self.body
        for index in path_of(path) or [-1]:
            if node is None or not 0 <= index < len(node.children):
                return None
            node = node.children[index]
        return node

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Yield every node below mj-body with its path, outer ones first."""
        stack = [(str(index), child) for index, child in enumerate(self.body.children)][::-1]
        while stack:
            path, node = stack.pop()
            yield path, node
            stack += [(f"{path}.{index}", child) for index, child in enumerate(node.children)][::-1]

    def path_at(self, offset: int) -> str:
        """Return the path of the innermost node around a place in the source, or ""."""
        return next(
            (path for path, node in reversed(list(self.walk())) if node.start <= offset < node.end), ""
        )


def path_of(text: str) -> list[int]:
    """Return a path's numbers; [] for what is no path."""
    parts = text.split(".")
    return [int(part) for part in parts] if all(re.fullmatch(r"[0-9]{1,4}", part) for part in parts) else []


def read_document(source: str) -> Document:
    """Return the tree of a source; an empty source is an empty email. Raises Unreadable."""
    source = source if source.strip() else SKELETON
    hidden = masked(source)
    body = re.search(r"<mj-body\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>", hidden)
    if body is None:
        raise Unreadable(0, "There is no mj-body.")
    if body[1]:
        return Document(
            source[: body.start()], _element(source, hidden, body.start(), body.end()), source[body.end() :]
        )
    nodes, end = _children(source, hidden, body.start())
    if len(nodes) != 1:
        raise Unreadable(body.start(), "There is something beside mj-body.")
    return Document(source[: body.start()], nodes[0], source[end:])


def read_nodes(source: str) -> list[Node]:
    """Return the nodes of a piece of MJML. Raises Unreadable."""
    wrapped = f"<mj-body>{source}</mj-body>"
    nodes, end = _children(wrapped, masked(wrapped), 0)
    if len(nodes) != 1 or end != len(wrapped):
        raise Unreadable(0, "An element is closed that was never opened.")
    return nodes[0].children


def _children(source: str, hidden: str, start: int) -> tuple[list[Node], int]:
    """Read one element that begins at `start`; returns it in a list, and where it ends."""
    return _Reader(source, hidden).read(start)


class _Reader:
    """One reading of one element. `stack` are the nodes that are open; `within` are names open inside the last of them
    where it is not looked into."""

    def __init__(self, source: str, hidden: str) -> None:
        self.source, self.hidden = source, hidden
        self.top: list[Node] = []
        self.stack: list[Node] = []
        self.within: list[tuple[str, int]] = []

    @property
    def is_inside(self) -> bool:
        """Whether what comes belongs to an element that is not looked into."""
        return bool(self.stack) and not self.stack[-1].is_open

    def read(self, start: int) -> tuple[list[Node], int]:
        """Read to the end of the element."""
        last = start
        for piece in _PIECE.finditer(self.hidden, start):
            if piece.group() == "<":
                raise Unreadable(
                    piece.start(), "This “<” begins no element. Write &lt; for the character itself."
                )
            if not self.is_inside and self.stack:
                self._words(last, piece.start())
            last = piece.end()
            self._piece(piece)
            if not self.stack:
                return self.top, last
        place = self.within[-1][1] if self.within else self.stack[-1].start if self.stack else start
        raise Unreadable(place, "This element is never closed.")

    def _piece(self, piece: re.Match[str]) -> None:
        if piece["close"]:
            self._close(piece["close"].lower(), piece)
        elif piece["open"]:
            self._open(piece["open"].lower(), piece)
        elif not self.is_inside and self.stack:
            start, end = piece.span()
            self.stack[-1].children.append(Node("", inner=self.source[start:end], start=start, end=end))

    def _open(self, name: str, piece: re.Match[str]) -> None:
        stays_open = not piece["empty"] and name not in VOID
        if self.is_inside:
            if stays_open:
                self.within.append((name, piece.start()))
            return
        node = _element(self.source, self.hidden, piece.start(), piece.end())
        (self.stack[-1].children if self.stack else self.top).append(node)
        if stays_open:
            self.stack.append(node)

    def _close(self, name: str, piece: re.Match[str]) -> None:
        if self.is_inside and name in VOID:
            return
        if self.within:
            if self.within.pop()[0] != name:
                raise Unreadable(piece.start(), f"“{name}” is closed here but another element is open.")
            return
        if not self.stack or self.stack[-1].name != name:
            raise Unreadable(piece.start(), f"“{name}” is closed here but another element is open.")
        node = self.stack.pop()
        if not node.is_open:
            node.inner = self.source[node.end : piece.start()]
        node.end = piece.end()

    def _words(self, start: int, end: int) -> None:
        words = self.source[start:end]
        if words.strip():
            offset = start + len(words) - len(words.lstrip())
            inner, last = words.strip(), start + len(words.rstrip())
            self.stack[-1].children.append(Node("", inner=inner, start=offset, end=last))


def _element(source: str, hidden: str, start: int, end: int) -> Node:
    """Return the element whose opening tag lies there; `end` is the tag's until the element is closed."""
    tag = _PIECE.match(hidden, start)
    if tag is None or not tag["open"]:
        raise Unreadable(start, "No element begins here.")
    offset = tag.start("attributes")
    attributes = {
        match[1].lower(): html.unescape(source[offset + match.start(2) + 1 : offset + match.end(2) - 1])
        for match in _ATTRIBUTE.finditer(tag["attributes"])
    }
    return Node(tag["open"].lower(), attributes, start=start, end=end)


def write_document(document: Document) -> str:
    """Return the source of a tree."""
    indent = re.search(r"[ \t]*$", document.before)
    depth = len(indent[0]) // 2 if indent else 0
    return (
        document.before.removesuffix(indent[0] if indent else "")
        + _written(document.body, depth)
        + document.after
    )


def write_nodes(nodes: list[Node]) -> str:
    """Return the source of a few nodes."""
    return "\n".join(_written(node, 0) for node in nodes)


def _written(node: Node, depth: int) -> str:
    space = "  " * depth
    if not node.name:
        return space + node.inner
    tag = "".join(f' {name}="{escaped(value)}"' for name, value in node.attributes.items())
    if node.is_open and node.children:
        inside = "\n".join(_written(child, depth + 1) for child in node.children)
        return f"{space}<{node.name}{tag}>\n{inside}\n{space}</{node.name}>"
    if node.is_open or not node.inner:
        return (
            f"{space}<{node.name}{tag} />" if node.name != "mj-body" else f"{space}<mj-body{tag}></mj-body>"
        )
    return f"{space}<{node.name}{tag}>{node.inner}</{node.name}>"


def escaped(text: str) -> str:
    """Return text for an attribute or between elements; merge tags stay as they are."""
    parts, end = [], 0
    for match in TAG.finditer(text):
        parts += [_escape(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, _escape(text[end:])])


def _escape(text: str) -> str:
    return html.escape(text, quote=False).replace('"', "&quot;")
