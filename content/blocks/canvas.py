"""A source for the drag-and-drop canvas, and back: what the canvas cannot keep never reaches it. Pure.

The canvas gets sections, columns and the blocks that it gives back unchanged. Everything else (conditions, comments,
tables, footers, own HTML …) stands there as it looks, or by name, and comes back to the letter; what is outside mj-body
never leaves. Merge tags among words are tokens there (content.blocks.tokens). Colours of the brand become colours of
their own, so that one sees them, and tags again on the way back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass

from content.blocks.fields import summary
from content.blocks.kinds import BLOCKS, kind_of
from content.blocks.presets import SECTIONS
from content.blocks.tokens import with_tokens, without_tokens
from content.blocks.tree import Node, read_document, read_nodes, write_document, write_nodes

# Blocks that the canvas gives back as they were (tried with GrapesJS 0.23 and its MJML plugin 1.0).
SHOWN = frozenset({"heading", "text", "image", "button", "divider", "spacer"})
_STAND_IN = re.compile(r"\b(kept|new)-(\w{1,12})\b")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b|rgb\(\s*(\d{1,3}),\s*(\d{1,3}),\s*(\d{1,3})\s*\)")
_BRAND = re.compile(r"\{\{\s*brand\.(\w+)\s*\}\}")
_HEX = re.compile(r"#[0-9a-f]{6}")
_LOGO, _LOGO_MARK, _EMPTY_MARK = "{{ brand.logo }}", "#brand.logo", "#no-image"
# A picture that is not chosen yet: a grey sheet, so that there is something to take hold of.
_NO_IMAGE = (
    "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20width='600'%20height='240'%3E"
    "%3Crect%20width='600'%20height='240'%20fill='%23d9d7d0'/%3E%3Cpath%20d='M210%20170l60-70%2045%2050%2030-30%2045%2050z'"
    "%20fill='%23a3a198'/%3E%3C/svg%3E"
)
# In attributes, where the canvas loses it.
_QUOTE = "\ue000"
# What the canvas would leave out because it is empty.
_EMPTY = "\ue001"
Look = Callable[[Node], str]


@dataclass(frozen=True, slots=True)
class Eyes:
    """How a source is seen: the brand's values, the names of merge tags, and what a block looks like ("": by name)."""

    brand: Mapping[str, str]
    names: Mapping[str, str]
    look: Look


def plain_eyes(brand: Mapping[str, str]) -> Eyes:
    """Return eyes that see names only."""
    return Eyes(brand, {}, lambda _node: "")


@dataclass(frozen=True, slots=True)
class Piece:
    """What the canvas offers to be dragged in: the block editor's own sections and blocks."""

    name: str
    label: str
    icon: str
    is_section: bool
    mjml: str


def for_canvas(source: str, eyes: Eyes) -> str:
    """Return the MJML that the canvas opens. Raises Unreadable where the source is no tree."""
    document = read_document(source)
    body, kept, colours = document.body, _Keeper(eyes.look), _colours(source, eyes.brand)
    body.children = [_section(node, kept) for node in body.children]
    document.before, document.after = "<mjml>", "</mjml>"
    for node in [body, *(node for _, node in document.walk())]:
        _dress(node, colours, eyes)
    return write_document(document)


def pieces_for_canvas(source: str, eyes: Eyes) -> list[Piece]:
    """Return what can be dragged into the canvas of this source."""
    colours = _colours(source, eyes.brand)
    made = [(True, one.name, one.label, one.icon, one.mjml) for one in SECTIONS if one.name != "raw"]
    made += [
        (False, one.name, one.label, one.icon, one.new) for one in BLOCKS if one.new and one.name != "raw"
    ]
    return [
        Piece(name, label, icon, is_section, _piece(mjml, colours, eyes))
        for is_section, name, label, icon, mjml in made
    ]


def _piece(mjml: str, colours: Mapping[str, str], eyes: Eyes) -> str:
    nodes = [_new(node, eyes.look) for node in read_nodes(mjml)]
    for node in nodes:
        for column in node.children:
            column.children = [_new(block, eyes.look) for block in column.children]
        for one in [node, *node.children, *(block for column in node.children for block in column.children)]:
            _dress(one, colours, eyes)
    return write_nodes(nodes)


def _new(node: Node, look: Look) -> Node:
    """Return a new block as the canvas shows it: one that it cannot keep as what stands for it."""
    kind = kind_of(node, 3)
    if node.is_open or kind.name in SHOWN:
        return node
    return Node(
        "mj-text", {"css-class": f"new-{kind.name}", "padding": "0"}, look(node) or f"<p>[ {kind.label} ]</p>"
    )


def _dress(node: Node, colours: Mapping[str, str], eyes: Eyes) -> None:
    """Write a node as the canvas can show it."""
    node.attributes = {
        name: _shown(value, colours).replace('"', _QUOTE) for name, value in node.attributes.items()
    }
    if node.attributes.get("src") == _LOGO:
        node.attributes["src"] = f"{eyes.brand.get('logo') or _NO_IMAGE}{_LOGO_MARK}"
    elif node.name == "mj-image" and not node.attributes.get("src", "").strip():
        node.attributes["src"] = f"{_NO_IMAGE}{_EMPTY_MARK}"
    node.inner = with_tokens(node.inner, eyes.names)
    # The canvas reads HTML, which knows no elements that close themselves.
    if node.is_open and not node.children:
        node.children = [Node("", inner="")]
    elif node.name and not node.inner:
        node.inner = " "


@dataclass(frozen=True, slots=True)
class _Kept:
    """A node that stays behind; one of mj-body stands between sections, others are blocks."""

    node: Node
    is_section: bool


class _Keeper:
    """Numbers what is kept, in the order of the source: the same source has the same numbers."""

    def __init__(self, look: Look) -> None:
        self.nodes: list[_Kept] = []
        self.look = look

    def stand_in(self, node: Node, depth: int) -> Node:
        """Keep a node; return what stands there instead."""
        kind = kind_of(node, depth)
        words = re.sub(r"[<>&{}]", " ", f"{kind.label}: {summary(kind, node)}"[:80])
        shown = self.look(node) if depth == 3 else ""
        place = {"padding": "0"} if shown else {"align": "center"}
        text = Node(
            "mj-text", {"css-class": f"kept-{len(self.nodes)}", **place}, shown or f"<p>[ {words} ]</p>"
        )
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
    kept = _Keeper(lambda _node: "")
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
            name: _tagged(value.replace(_QUOTE, '"').replace(_EMPTY, ""), names)
            for name, value in node.attributes.items()
            if name != "id"
        }
        node.inner = _tagged(without_tokens(_clean(node.inner)), names)
        if node.attributes.get("src", "").endswith(_LOGO_MARK):
            node.attributes["src"] = _LOGO
        elif node.attributes.get("src", "").endswith(_EMPTY_MARK):
            node.attributes["src"] = ""
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
    """Return what a stand-in stands for: a part that was kept, or a new block that the canvas cannot write itself."""
    match = _STAND_IN.search(node.attributes.get("css-class", ""))
    if match is None:
        return None
    if match[1] == "new":
        is_known = match[2] in BLOCKS and BLOCKS[match[2]].new
        return _Kept(read_nodes(BLOCKS[match[2]].new)[0], is_section=False) if is_known else None
    number = int(match[2]) if match[2].isdigit() else -1
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
