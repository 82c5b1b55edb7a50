"""What the settings of a block say, read from its node and written back. Knows nothing of pages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from content.blocks.kinds import BlockKind, Setting, footer, is_footer, is_heading
from content.blocks.rich import clean_rich
from content.blocks.tree import Node, Unreadable, escaped, read_nodes, write_nodes
from content.tags import TAG

LAYOUTS: dict[str, tuple[str, ...]] = {
    "1": ("",), "2": ("", ""), "1:2": ("33.33%", "66.67%"), "2:1": ("66.67%", "33.33%"), "3": ("", "", ""),
}  # fmt: skip
# Kept even when empty: an image without alt is read out by its address.
_STAYS = frozenset({"alt", "src", "href"})


def value_of(setting: Setting, node: Node) -> str | bool:
    """Return what a setting says now."""
    if setting.source.startswith("@"):
        return node.attributes.get(setting.source[1:], "")
    return _READ[setting.source](node)


def _unescaped(text: str) -> str:
    parts, end = [], 0
    for match in TAG.finditer(text):
        parts += [html.unescape(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, html.unescape(text[end:])])


def _heading(node: Node) -> tuple[str, str]:
    found = is_heading(node)
    return (found[1], " ".join(_unescaped(found[2]).split())) if found else ("2", "")


def _footer(node: Node, part: str) -> str:
    found = is_footer(node)
    return (found[part] or "") if found else ""


def layout_of(node: Node) -> str:
    """Return the name of a section's layout, or "" for one that has no name."""
    widths = tuple(child.attributes.get("width", "") for child in node.children)
    return next((name for name, wanted in LAYOUTS.items() if wanted == widths), "")


_READ: dict[str, Callable[[Node], str | bool]] = {
    "heading": lambda node: _heading(node)[1],
    "level": lambda node: _heading(node)[0],
    "footer_words": lambda node: _unescaped(_footer(node, "words")),
    "footer_preferences": lambda node: bool(_footer(node, "preferences")),
    "footer_view": lambda node: bool(_footer(node, "view")),
    "rich": lambda node: node.inner.strip(),
    "inner": lambda node: node.inner.strip(),
    "label": lambda node: _unescaped(node.inner.strip()),
    "source": lambda node: write_nodes([node]),
    "layout": layout_of,
}


def set_values(
    kind: BlockKind, node: Node, values: dict[str, str | bool]
) -> tuple[list[Node], dict[str, str]]:
    """Write the settings' values into a node; what has not changed is left as it is written.

    Returns what stands in its place now (its own source may be several nodes, or none), and the problems by setting;
    a value with a problem is not written.
    """
    problems: dict[str, str] = {}
    changed = {
        setting.source: values[setting.name]
        for setting in kind.settings
        if setting.name in values and values[setting.name] != value_of(setting, node)
    }
    for source, value in changed.items():
        if source.startswith("@"):
            _set_attribute(node, source[1:], str(value).strip())
    inside = {source: value for source, value in changed.items() if not source.startswith("@")}
    if "source" in inside:
        try:
            return read_nodes(str(inside["source"])), problems
        except Unreadable as unreadable:
            return [node], {"source": str(unreadable)}
    if "inner" in inside:
        problem = _set_inner(node, str(inside["inner"]))
        problems |= {"words": problem} if problem else {}
    elif inside:
        _set_inside(node, inside)
    return [node], problems


def _set_attribute(node: Node, name: str, value: str) -> None:
    if value or (name in _STAYS and name in node.attributes):
        node.attributes[name] = value
    else:
        node.attributes.pop(name, None)


def _set_inner(node: Node, written: str) -> str:
    """Take a text's own HTML over where it is well-formed; returns the problem where it is not."""
    try:
        read_nodes(f"<mj-text>{written}</mj-text>")
    except Unreadable as unreadable:
        return str(unreadable)
    node.inner = written
    return ""


def _set_inside(node: Node, inside: dict[str, str | bool]) -> None:
    if "rich" in inside:
        node.inner = clean_rich(str(inside["rich"]))
    elif "label" in inside:
        node.inner = escaped(_line(inside["label"]))
    elif "layout" in inside:
        set_layout(node, str(inside["layout"]))
    elif {"heading", "level"} & set(inside):
        level, words = _heading(node)
        level = str(inside.get("level", level))
        words = _line(inside.get("heading", words))
        node.inner = f"<h{level}>{escaped(words)}</h{level}>"
    else:
        words = _line(inside.get("footer_words", _unescaped(_footer(node, "words"))))
        preferences = bool(inside.get("footer_preferences", bool(_footer(node, "preferences"))))
        view = bool(inside.get("footer_view", bool(_footer(node, "view"))))
        node.inner = footer(words=escaped(words), preferences=preferences, view=view)


def _line(value: str | bool) -> str:
    return " ".join(str(value).split())


def set_layout(node: Node, name: str) -> None:
    """Give a section its columns; what stands in a column too many goes into the last one that stays."""
    widths = LAYOUTS.get(name)
    if widths is None:
        return
    while len(node.children) < len(widths):
        node.children.append(Node("mj-column"))
    while len(node.children) > len(widths):
        extra = node.children.pop()
        node.children[-1].children += extra.children
    for column, width in zip(node.children, widths, strict=True):
        _set_attribute(column, "width", width)


def summary(kind: BlockKind, node: Node) -> str:
    """Return a few words that tell a block from others of its kind."""
    if kind.name == "image":
        return (
            node.attributes.get("alt")
            or node.attributes.get("src", "").rpartition("/")[2][:40]
            or "No image yet"
        )
    if kind.name == "section":
        count = len(node.children)
        return "" if count < 2 else f"{count} columns"
    words = _unescaped(
        re.sub(r"<[^>]*>", " ", node.inner or write_nodes([node]) if kind.name == "raw" else node.inner)
    )
    words = " ".join(words.split())
    return words[:70] + ("…" if len(words) > 70 else "")
