"""Sections to begin with: each is a piece of MJML in the brand, made of blocks that can be changed."""

from __future__ import annotations

from dataclasses import dataclass

from content.blocks.kinds import BLOCKS
from core.kinds import KindTable


@dataclass(frozen=True, slots=True)
class Preset:
    """A section in the menu."""

    name: str
    label: str
    icon: str
    mjml: str


_SHEET = 'background-color="{{ brand.surface }}" padding="24px 0"'
_BUTTON = BLOCKS["button"].new


def _column(*blocks: str) -> str:
    return f"<mj-column>{''.join(blocks)}</mj-column>"


def _words(words: str) -> str:
    return f'<mj-text padding="0 32px 12px"><p>{words}</p></mj-text>'


def _head(words: str, level: int = 2) -> str:
    return f'<mj-text padding="0 32px 12px"><h{level}>{words}</h{level}></mj-text>'


def _small(words: str) -> str:
    return _column(_head(words, 3), _words("Write here."))


_CARD = _column(
    '<mj-image src="" alt="" padding="0 16px 12px" />',
    '<mj-text padding="0 16px 4px"><h3>Name of the product</h3></mj-text>',
    '<mj-text padding="0 16px 8px"><p>One sentence on what it does for the reader.</p></mj-text>',
    '<mj-text padding="0 16px 12px" color="{{ brand.link }}" font-size="19px"><p><strong>€ 49</strong></p></mj-text>',
    _BUTTON.replace('padding="6px 32px 20px"', 'padding="0 16px 20px" align="left"'),
)

SECTIONS: KindTable[Preset] = KindTable(
    "section",
    [
        Preset(
            "text", "Text", "text-align-left",
            f"<mj-section {_SHEET}>{_column(_head('A heading'), _words('Write here.'))}</mj-section>",
        ),
        Preset(
            "band", "Coloured band", "rows",
            '<mj-section background-color="{{ brand.accent }}" padding="40px 0">'
            '<mj-column><mj-text padding="0 32px 8px" color="{{ brand.accent_ink }}"><h1>Say it in one line</h1>'
            '</mj-text><mj-text padding="0 32px" color="{{ brand.accent_ink }}">'
            "<p>And what it means for the reader.</p></mj-text>"
            "</mj-column></mj-section>",
        ),
        Preset(
            "image", "Image", "image",
            f'<mj-section {_SHEET}>{_column(BLOCKS["image"].new)}</mj-section>',
        ),
        Preset(
            "button", "Button", "cursor-click", f"<mj-section {_SHEET}>{_column(_BUTTON)}</mj-section>"
        ),
        Preset(
            "two", "Two columns", "columns",
            f"<mj-section {_SHEET}>{_column(_head('Left', 3), _words('Write here.'))}"
            f"{_column(_head('Right', 3), _words('On a phone this stands below.'))}</mj-section>",
        ),
        Preset(
            "three", "Three columns", "columns",
            f"<mj-section {_SHEET}>{_small('One')}{_small('Two')}{_small('Three')}</mj-section>",
        ),
        Preset("cards", "Two products", "hand-coins", f"<mj-section {_SHEET}>{_CARD}{_CARD}</mj-section>"),
        Preset(
            "line", "Line", "minus", f"<mj-section {_SHEET}>{_column(BLOCKS['divider'].new)}</mj-section>"
        ),
        Preset(
            "footer", "Social networks, address, unsubscribe", "envelope-simple",
            f'<mj-section padding="24px 0">{_column(BLOCKS["social"].new, BLOCKS["footer"].new)}</mj-section>',
        ),
        Preset(
            "raw", "MJML", "code",
            '<mj-wrapper padding="0"><mj-section><mj-column><mj-text>Write MJML here.</mj-text>'
            "</mj-column></mj-section></mj-wrapper>",
        ),
    ],
)  # fmt: skip
