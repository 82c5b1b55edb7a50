"""The kinds of blocks: how each is known in the tree, what it is called, what may be set, what a new one is.

A setting is an attribute of the element (or what it holds); a value that no choice has is offered as it is written, so
that setting one thing never changes another.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from content.blocks.rich import is_rich
from content.blocks.tree import Node
from core.kinds import KindTable

_HEADING = re.compile(r"\s*<h([123])>([^<]*)</h\1>\s*")
_FOOTER = re.compile(
    r'\s*(?:<p>(?P<words>[^<]*)</p>)?<span style="white-space:pre-line">'
    r"\{\{ tenant\.name \}\}\n\{\{ tenant\.postal_address \}\}</span><br/>"
    r'<a href="\{\{ links\.unsubscribe \}\}">Unsubscribe</a>'
    r'(?P<preferences> · <a href="\{\{ links\.preferences \}\}">Preferences</a>)?'
    r'(?P<view> · <a href="\{\{ links\.view_in_browser \}\}">View in browser</a>)?\s*'
)
Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """What may be set: `source` is "@attribute" or one of the names that content.blocks.fields reads.

    `widget`: text, area, rich, source, choice, link, picture, check.
    """

    name: str
    label: str
    source: str
    widget: str = "text"
    choices: Choices = ()
    help: str = ""
    tags: bool = False


@dataclass(frozen=True, slots=True)
class BlockKind:
    """A kind of block, in the menu or only known when it is met."""

    name: str
    label: str
    icon: str
    settings: tuple[Setting, ...]
    fits: Callable[[Node], bool]
    new: str = ""


ALIGN = Setting(
    "align",
    "Align",
    "@align",
    "choice",
    (("", "As the language is read"), ("left", "Left"), ("center", "Centre"), ("right", "Right")),
)
_ALIGN_MIDDLE = Setting(
    "align", "Align", "@align", "choice", (("", "Centre"), ("left", "Left"), ("right", "Right"))
)
_COLOUR = Setting(
    "color", "Colour", "@color", "choice",
    (
        ("", "Text"), ("{{ brand.link }}", "Accent"), ("{{ brand.muted }}", "Quiet"),
        ("{{ brand.accent_ink }}", "On the accent"),
    ),
)  # fmt: skip
_LINK = Setting(
    "href", "Leads to", "@href", "link", help="Begins with https://, or is a merge tag of a tracked link."
)


def _is_text(node: Node) -> bool:
    return node.name == "mj-text"


def is_heading(node: Node) -> re.Match[str] | None:
    """Return the parts of a heading (level, words), or None."""
    return _HEADING.fullmatch(node.inner) if _is_text(node) else None


def is_footer(node: Node) -> re.Match[str] | None:
    """Return the parts of a footer as we write it, or None: another one is a text."""
    return _FOOTER.fullmatch(node.inner) if _is_text(node) else None


def footer(*, words: str, preferences: bool, view: bool) -> str:
    """Return what a footer holds."""
    return (
        (f"<p>{words}</p>" if words else "")
        + '<span style="white-space:pre-line">{{ tenant.name }}\n{{ tenant.postal_address }}</span><br/>'
        + '<a href="{{ links.unsubscribe }}">Unsubscribe</a>'
        + (' · <a href="{{ links.preferences }}">Preferences</a>' if preferences else "")
        + (' · <a href="{{ links.view_in_browser }}">View in browser</a>' if view else "")
    )


def _is_rich_text(node: Node) -> bool:
    return _is_text(node) and is_rich(node.inner)


_TEXT_LOOK = (
    Setting(
        "size", "Size", "@font-size", "choice",
        (("", "As the email has it"), ("13px", "Small"), ("16px", "Normal"), ("19px", "Large")),
    ),
    ALIGN,
    _COLOUR,
)  # fmt: skip
_NEW_FOOTER = footer(words="", preferences=True, view=False)

BLOCKS: KindTable[BlockKind] = KindTable(
    "block",
    [
        BlockKind(
            "heading", "Heading", "text-h",
            (
                Setting("words", "Heading", "heading", "text", tags=True),
                Setting("level", "Size", "level", "choice", (("1", "Large"), ("2", "Medium"), ("3", "Small"))),
                ALIGN, _COLOUR,
            ),
            lambda node: is_heading(node) is not None,
            '<mj-text padding="0 32px 12px"><h2>A heading</h2></mj-text>',
        ),
        BlockKind(
            "footer", "Address and unsubscribe", "envelope-simple",
            (
                Setting("words", "Why they get this", "footer_words", "text", tags=True),
                Setting("preferences", "Link to preferences", "footer_preferences", "check"),
                Setting("view", "Link to view in browser", "footer_view", "check"),
                _ALIGN_MIDDLE, _COLOUR,
            ),
            lambda node: is_footer(node) is not None,
            '<mj-text align="center" color="{{ brand.muted }}" font-size="12px" line-height="18px"'
            f' padding="0 32px">{_NEW_FOOTER}</mj-text>',
        ),
        BlockKind(
            "text", "Text", "text-align-left",
            (Setting("words", "Text", "rich", "rich", tags=True), *_TEXT_LOOK),
            _is_rich_text,
            '<mj-text padding="0 32px 12px"><p>Write here.</p></mj-text>',
        ),
        BlockKind(
            "html", "Text with its own HTML", "code",
            (Setting("words", "HTML", "inner", "source", tags=True), *_TEXT_LOOK),
            _is_text,
        ),
        BlockKind(
            "image", "Image", "image",
            (
                Setting("src", "Image", "@src", "picture"),
                Setting("alt", "Text for those who do not see it", "@alt", tags=True, help="Empty for decoration."),
                _LINK,
                Setting("width", "Width", "@width", help="In pixels, as 240px; empty for the whole column."),
                _ALIGN_MIDDLE,
            ),
            lambda node: node.name == "mj-image" and not node.inner.strip(),
            '<mj-image src="" alt="" padding="0 32px 20px" />',
        ),
        BlockKind(
            "button", "Button", "cursor-click",
            (
                Setting("words", "Words", "label", tags=True),
                _LINK,
                _ALIGN_MIDDLE,
                Setting(
                    "fill", "Colour", "@background-color", "choice",
                    (("", "Accent"), ("{{ brand.ink }}", "Dark"), ("{{ brand.tint }}", "Pale")),
                ),
                Setting("width", "Width", "@width", "choice", (("", "As wide as its words"), ("100%", "Whole column"))),
            ),
            lambda node: node.name == "mj-button" and "<" not in node.inner,
            '<mj-button href="https://" font-size="16px" font-weight="600" inner-padding="13px 26px"'
            ' padding="6px 32px 20px">Read more</mj-button>',
        ),
        BlockKind(
            "divider", "Line", "minus",
            (
                Setting(
                    "thick", "Thickness", "@border-width", "choice",
                    (("", "Thin"), ("2px", "Medium"), ("4px", "Thick")),
                ),
                Setting(
                    "color", "Colour", "@border-color", "choice",
                    (("", "Quiet"), ("{{ brand.accent }}", "Accent"), ("{{ brand.ink }}", "Text")),
                ),
            ),
            lambda node: node.name == "mj-divider" and not node.inner.strip(),
            '<mj-divider padding="4px 32px 20px" />',
        ),
        BlockKind(
            "spacer", "Space", "arrows-out-line-vertical",
            (
                Setting(
                    "height", "Height", "@height", "choice",
                    (("12px", "Small"), ("24px", "Medium"), ("48px", "Large"), ("", "20 pixels")),
                ),
            ),
            lambda node: node.name == "mj-spacer" and not node.inner.strip(),
            '<mj-spacer height="24px" />',
        ),
        BlockKind(
            "social", "Social networks", "share-network",
            (_ALIGN_MIDDLE,),
            lambda node: node.name == "mj-social" and not node.inner.strip(),
            '<mj-social padding="4px 32px 16px" />',
        ),
        BlockKind(
            "raw", "MJML", "code",
            (Setting("source", "MJML", "source", "source", tags=True, help="Kept as it is written."),),
            lambda node: True,
            "<mj-text>Write MJML here.</mj-text>",
        ),
    ],
)  # fmt: skip

_SPACE = (("0", "None"), ("12px 0", "Small"), ("24px 0", "Medium"), ("40px 0", "Large"), ("", "20 pixels"))
SECTION = BlockKind(
    "section", "Section", "rows",
    (
        Setting(
            "layout", "Columns", "layout", "choice",
            (("1", "One"), ("2", "Two"), ("1:2", "Narrow and wide"), ("2:1", "Wide and narrow"), ("3", "Three")),
        ),
        Setting(
            "background", "Background", "@background-color", "choice",
            (
                ("", "None"), ("{{ brand.surface }}", "Sheet"), ("{{ brand.tint }}", "Pale accent"),
                ("{{ brand.accent }}", "Accent"), ("{{ brand.background }}", "Background"),
            ),
        ),
        Setting("space", "Space above and below", "@padding", "choice", _SPACE),
    ),
    lambda node: node.name == "mj-section" and all(child.name == "mj-column" for child in node.children),
)  # fmt: skip
LOOSE = BlockKind("raw", "MJML", "code", BLOCKS["raw"].settings, lambda node: True)
CONDITION = BlockKind("condition", "Condition", "git-branch", BLOCKS["raw"].settings, lambda node: True)


def kind_of(node: Node, depth: int) -> BlockKind:
    """Return what a node is: a section at depth 1, a block at depth 3; what cannot be read is its source."""
    if not node.name:
        return CONDITION if node.inner.startswith("{%") else LOOSE
    if depth == 1:
        return SECTION if SECTION.fits(node) else LOOSE
    return next(kind for kind in BLOCKS if kind.fits(node))
