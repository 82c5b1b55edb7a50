"""How a form's public page looks: our own look, the tenant's brand, or colours of its own. One small style sheet."""

from __future__ import annotations

from content.brand import FONTS, BrandValues
from content.colours import contrast, mixed, readable_on
from content.forms.document import FormStyle

_SHEET = """:root, [data-bs-theme] {{ color-scheme: light;
  --page: {background}; --surface: {surface}; --raised: {surface}; --sunken: {background}; --hover: {tint};
  --ink: {ink}; --muted: {muted}; --line: {line}; --line-strong: {edge};
  --accent: {accent}; --accent-hover: {hover}; --accent-ink: {accent_ink}; --accent-soft: {tint};
  --font: {font}; --radius: {radius}px; --radius-card: {radius}px; --bs-body-font-family: {font}; }}
.entrance {{ background: {background}; }}
.entrance-card {{ border-radius: {card}px; }}
.is-embedded, .is-embedded .entrance-card {{ border-radius: 0; background: {surface}; }}
a {{ color: {link}; }}
"""


def style_values(style: FormStyle, brand: BrandValues) -> BrandValues | None:
    """Return the colours and the font that the page has; None for our own look."""
    if style.look == "house":
        return None
    if style.look == "brand":
        return brand
    return BrandValues(
        accent=style.accent, background=style.background, surface=style.surface, ink=style.ink, font=style.font,
        radius=style.radius,
    )  # fmt: skip


def style_sheet(style: FormStyle, brand: BrandValues) -> str:
    """Return the sheet that the page loads after our own; "" for our own look."""
    values = style_values(style, brand)
    if values is None:
        return ""
    return _SHEET.format(
        accent=values.accent,
        hover=mixed(values.accent, values.ink, 0.15),
        accent_ink=readable_on(values.accent),
        background=values.background,
        surface=values.surface,
        ink=values.ink,
        muted=_quiet(values),
        line=mixed(values.ink, values.surface, 0.85),
        edge=mixed(values.ink, values.surface, 0.45),
        tint=mixed(values.accent, values.surface, 0.9),
        link=values.accent if contrast(values.accent, values.surface) >= 4.5 else values.ink,
        font=FONTS.get(values.font, FONTS["helvetica"])[1],
        radius=values.radius,
        card=min(values.radius + 6, 20),
    )


def _quiet(values: BrandValues) -> str:
    """Return a quiet ink that can be read on both grounds."""
    for share in (0.35, 0.25, 0.15):
        quiet = mixed(values.ink, values.surface, share)
        if min(contrast(quiet, values.surface), contrast(quiet, values.background)) >= 4.5:
            return quiet
    return values.ink
