"""A source for the drag-and-drop canvas, and back: what the canvas cannot keep never reaches it. Pure.

The canvas gets sections, columns and the blocks that it gives back unchanged. Everything else (conditions, comments,
tables, footers, own HTML …) stands there as a named stand-in and comes back to the letter; what is outside mj-body
never leaves. Colours of the brand become colours of their own there, so that one sees them, and tags again on the way
back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from content.blocks.fields import summary
from content.blocks.kinds import kind_of
from content.blocks.tree import Node, read_document, write_document

# Blocks that the canvas gives back as they were (tried with GrapesJS 0.23 and its MJML plugin 1.0).
SHOWN = frozenset({"heading", "text", "image", "button", "divider", "spacer"})
_KEPT = re.compile(r"\bkept-(\d{1,4})\b")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b|rgb\(\s*(\d{1,3}),\s*(\d{1,3}),\s*(\d{1,3})\s*\)")
_BRAND = re.compile(r"\{\{\s*brand\.(\w+)\s*\}\}")
_HEX = re.compile(r"#[0-9a-f]{6}")
_LOGO, _LOGO_MARK = "{{ brand.logo }}", "#brand.logo"
# In attributes, where the canvas loses it.
_QUOTE = "\ue000"


def for_canvas(source: str, brand: Mapping[str, str]) -> str:
    """Return the MJML that the canvas opens. Raises Unreadable where the source is no tree."""
    document = read_document(source)
    body, kept, colours = document.body, _Keeper(), _colours(source, brand)
    body.children = [_section(node, kept) for node in body.children]
    document.before, document.after = "<mjml>", "</mjml>"
    for node in [body, *(node for _, node in document.walk())]:
        node.attributes = {
            name: _shown(value, colours).replace('"', _QUOTE) for name, value in node.attributes.items()
        }
        if node.attributes.get("src") == _LOGO:
            node.attributes["src"] = f"{brand.get('logo') or 'data:,'}{_LOGO_MARK}"
        # The canvas reads HTML, which knows no elements that close themselves.
        if node.is_open and not node.children:
            node.children = [Node("", inner="")]
        elif node.name and not node.inner:
            node.inner = " "
    return write_document(document)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A node that stays behind; one of mj-body stands between sections, others are blocks."""

    node: Node
    is_section: bool


class _Keeper:
    """Numbers what is kept, in the order of the source: the same source has the same numbers."""

    def __init__(self) -> None:
        self.nodes: list[_Kept] = []

    def stand_in(self, node: Node, depth: int) -> Node:
        """Keep a node; return what stands there instead."""
        kind = kind_of(node, depth)
        words = re.sub(r"[<>&{}]", " ", f"{kind.label}: {summary(kind, node)}"[:80])
        look = {"css-class": f"kept-{len(self.nodes)}", "align": "center"}
        text = Node("mj-text", look, f"<p>[ {words} ]</p>")
        self.nodes.append(_Kept(node, depth == 1))
        return text if depth == 3 else Node("mj-section", children=[Node("mj-column", children=[text])])


def _section(node: Node, kept: _Keeper) -> Node:
    if node.name != "mj-section" or any(child.name != "mj-column" for child in node.children):
        return kept.stand_in(node, 1)
    section = deepcopy(node)
    for column in section.children:
        column.children = [
            block if block.name and kind_of(block, 3).name in SHOWN else kept.stand_in(block, 3)
            for block in column.children
        ]
    return section


def _kept_of(source: str) -> list[_Kept]:
    kept = _Keeper()
    for node in read_document(source).body.children:
        _section(node, kept)
    return kept.nodes


def _colours(source: str, brand: Mapping[str, str]) -> dict[str, str]:
    """Return a colour for each of the brand's, all different and none of them written in the source."""
    written = set(_HEX.findall(source.lower()))
    found: dict[str, str] = {}
    for name, value in sorted(brand.items()):
        if not _HEX.fullmatch(value.lower()):
            continue
        blue = int(value[5:], 16)
        near = sorted(range(256), key=lambda other, blue=blue: abs(other - blue))  # type: ignore[misc]
        free = next(colour for other in near if (colour := f"{value[:5].lower()}{other:02x}") not in written)
        written.add(free)
        found[name] = free
    return found


def _shown(value: str, colours: Mapping[str, str]) -> str:
    return _BRAND.sub(lambda match: colours.get(match[1], match[0]), value)


def from_canvas(written: str, source: str, brand: Mapping[str, str]) -> str:
    """Return the source that the canvas' MJML makes of the one that it was opened with. Raises Unreadable."""
    document, made = read_document(source), read_document(written)
    names = {colour: name for name, colour in _colours(source, brand).items()}
    for node in [made.body, *(node for _, node in made.walk())]:
        node.attributes = {
            name: _tagged(value.replace(_QUOTE, '"'), names)
            for name, value in node.attributes.items()
            if name != "id"
        }
        node.inner = _tagged(_clean(node.inner), names)
        if node.attributes.get("src", "").endswith(_LOGO_MARK):
            node.attributes["src"] = _LOGO
    kept = _kept_of(source)
    made.body.children = [node for child in made.body.children for node in _back(child, kept)]
    made.body.attributes = {**document.body.attributes, **made.body.attributes}
    document.body = made.body
    return write_document(document)


def _back(node: Node, kept: list[_Kept]) -> list[Node]:
    """Return a section of the canvas with what its stand-ins stood for; parts of mj-body come behind it."""
    parts: list[Node] = []
    for column in node.children:
        blocks = []
        for block in column.children:
            original = _original(block, kept)
            if original is not None and original.is_section:
                parts.append(deepcopy(original.node))
            else:
                blocks.append(deepcopy(original.node) if original else block)
        column.children = blocks
    is_empty = parts and not any(column.children for column in node.children)
    return parts if is_empty else [node, *parts]


def _original(node: Node, kept: list[_Kept]) -> _Kept | None:
    match = _KEPT.search(node.attributes.get("css-class", ""))
    number = int(match[1]) if match else -1
    return kept[number] if 0 <= number < len(kept) else None


def _tagged(text: str, names: Mapping[str, str]) -> str:
    def back(match: re.Match[str]) -> str:
        if match[1]:
            colour = "#" + "".join(f"{min(int(part), 255):02x}" for part in match.groups())
        else:
            colour = match[0].lower()
        return f"{{{{ brand.{names[colour]} }}}}" if colour in names else match[0]

    return _COLOUR.sub(back, text)


def _clean(inner: str) -> str:
    """Return a text without the marks that the canvas puts on elements for itself."""
    return re.sub(r'\s(?:id="i[\w-]*"|data-gjs-[\w-]+="[^"]*"|draggable="[^"]*")', "", inner).strip()


def shown_as_source(source: str) -> list[str]:
    """Return what the block editor shows as its source, each kind once: "mj-navbar", "Text with its own HTML"."""
    found: dict[str, None] = {}
    for path, node in read_document(source).walk():
        depth = path.count(".") + 1
        if depth == 2 and node.name == "mj-column":
            continue
        kind = kind_of(node, depth)
        if kind.name in {"raw", "html", "condition"}:
            found[node.name if kind.name == "raw" and node.name else kind.label] = None
    return list(found)
