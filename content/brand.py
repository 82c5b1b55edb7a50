"""The brand in an email: {{ brand.… }} in its source, and what an element looks like where the source does not say.

Both are settled when the email is compiled: a version looks as it did when it was saved. Knows nothing of forms and
pages; the tenant's own choice is content.models.Brand.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from content.colours import contrast, mixed, readable_on
from content.direction import with_head
from content.image_urls import image_url
from content.models import Brand, Image

FONTS: dict[str, tuple[str, str]] = {
    "helvetica": ("Helvetica and Arial", "Helvetica, Arial, sans-serif"),
    "system": (
        "The reader's own system font",
        "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
    ),
    "verdana": ("Verdana", "Verdana, Geneva, sans-serif"),
    "tahoma": ("Tahoma", "Tahoma, Verdana, Geneva, sans-serif"),
    "trebuchet": ("Trebuchet", "'Trebuchet MS', Tahoma, sans-serif"),
    "georgia": ("Georgia", "Georgia, 'Times New Roman', serif"),
    "times": ("Times", "'Times New Roman', Times, serif"),
    "courier": ("Courier", "'Courier New', Courier, monospace"),
}
# Names as people know them, and as MJML does; those that it gives a colour and we an icon.
NETWORKS: dict[str, tuple[str, str]] = {
    "facebook": ("Facebook", "facebook-noshare"),
    "instagram": ("Instagram", "instagram"),
    "linkedin": ("LinkedIn", "linkedin-noshare"),
    "x": ("X", "x-noshare"),
    "youtube": ("YouTube", "youtube"),
    "pinterest": ("Pinterest", "pinterest-noshare"),
    "github": ("GitHub", "github"),
    "medium": ("Medium", "medium"),
}
_TAG = re.compile(r"\{\{\s*brand\.(\w+)\s*\}\}")
_EMPTY_SOCIAL = re.compile(r"<mj-social\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)\s*(?:/>|>\s*</mj-social\s*>)")
# A brand without a logo has no picture there, rather than a broken one.
_LOGO = re.compile(
    r"<mj-image\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?\bsrc=[\"']\s*\{\{\s*brand\.logo\s*\}\}\s*[\"']"
    r"(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(?:/>|>\s*</mj-image\s*>)"
)
_TO_WEBSITE = re.compile(r"\s+href=([\"'])\s*\{\{\s*brand\.website\s*\}\}\s*\1")
# Least specific first: whatever the email itself says wins over this.
_DEFAULTS = """<mj-attributes><mj-all font-family="{font}" />\
<mj-text color="{ink}" font-size="16px" line-height="26px" />\
<mj-button background-color="{accent}" color="{accent_ink}" border-radius="{radius}px" />\
<mj-divider border-color="{line}" border-width="1px" /><mj-social icon-size="20px" border-radius="{radius}px" />\
</mj-attributes><mj-style>a {{ color: {link} }} p {{ margin: 0 0 14px }} \
h1, h2, h3 {{ margin: 0; font-weight: 700 }} h1 {{ font-size: 30px; line-height: 38px }} \
h2 {{ font-size: 22px; line-height: 30px }} h3 {{ font-size: 17px; line-height: 24px }}</mj-style>"""


@dataclass(frozen=True, slots=True)
class BrandValues:
    """What a brand says. The other colours follow from these four, so that text can always be read."""

    accent: str = "#0a5e49"
    background: str = "#f4f2ed"
    surface: str = "#ffffff"
    ink: str = "#232320"
    font: str = "helvetica"
    radius: int = 6
    logo: Image | None = None
    website: str = ""
    social: tuple[tuple[str, str], ...] = ()

    def tags(self) -> dict[str, str]:
        """Return what each {{ brand.… }} stands for."""
        return {
            "accent": self.accent,
            "accent_ink": readable_on(self.accent),
            "background": self.background,
            "surface": self.surface,
            "ink": self.ink,
            "muted": mixed(self.ink, self.background, 0.3),
            "line": mixed(self.ink, self.surface, 0.85),
            "tint": mixed(self.accent, self.surface, 0.9),
            # An accent that is too pale to be read as text still makes a good button.
            "link": self.accent if contrast(self.accent, self.surface) >= 4.5 else self.ink,
            "font": FONTS.get(self.font, FONTS["helvetica"])[1],
            "radius": str(self.radius),
            "logo": image_url(self.logo) if self.logo else "",
            "website": self.website,
        }


BRAND_TAGS = {
    "accent": "Accent colour", "accent_ink": "Text on the accent colour", "background": "Background colour",
    "surface": "Colour of the mail's sheet", "ink": "Text colour", "muted": "Quiet text colour", "line": "Line colour",
    "tint": "Pale accent colour", "link": "Link colour", "font": "Font", "logo": "Logo",
    "radius": "Corners", "website": "Our website",
}  # fmt: skip
DEFAULT = BrandValues()


def brand_values() -> BrandValues:
    """Return the brand of the open tenant scope; one query."""
    brand = Brand.objects.select_related("logo").first()
    if brand is None:
        return DEFAULT
    social = tuple((name, address) for name, address in brand.social)
    return BrandValues(
        accent=brand.accent, background=brand.background, surface=brand.surface, ink=brand.ink, font=brand.font,
        radius=brand.radius, logo=brand.logo, website=brand.website, social=social,
    )  # fmt: skip


def with_values(text: str, values: BrandValues, *, escape: bool = True) -> str:
    """Return a text with its {{ brand.… }} filled in; an unknown one stays for the check of merge tags."""
    tags = values.tags()

    def fill(match: re.Match[str]) -> str:
        value = tags.get(match[1])
        return match[0] if value is None else html.escape(value, quote=False) if escape else value

    return _TAG.sub(fill, text)


def branded(mjml: str, values: BrandValues) -> str:
    """Return an MJML source in the brand: values filled in, empty mj-social filled, defaults in the head."""
    networks = _networks(values)
    if values.logo is None:
        mjml = _LOGO.sub("", mjml)
    if not values.website:
        mjml = _TO_WEBSITE.sub("", mjml)
    mjml = _EMPTY_SOCIAL.sub(lambda match: f"<mj-social{match[1]}>{networks}</mj-social>", mjml)
    mjml = with_values(mjml, values)
    return with_head(mjml, _DEFAULTS.format(**values.tags()))


def defaults_of(values: BrandValues) -> tuple[str, str]:
    """Return what an element looks like where the source does not say: MJML's attributes, and CSS for words."""
    attributes, _, style = _DEFAULTS.format(**values.tags()).partition("<mj-style>")
    return attributes, style.removesuffix("</mj-style>")


def _networks(values: BrandValues) -> str:
    return "".join(
        f'<mj-social-element name="{NETWORKS[name][1]}" href="{html.escape(address)}" alt="{NETWORKS[name][0]}" />'
        for name, address in values.social
        if name in NETWORKS
    )
