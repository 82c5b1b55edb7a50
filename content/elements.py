"""The elements of MJML that an email may use, and where each belongs. Data only."""

from __future__ import annotations

HEAD = frozenset({"mj-attributes", "mj-breakpoint", "mj-preview", "mj-raw", "mj-style", "mj-title"})
SECTIONS = frozenset({"mj-section", "mj-wrapper", "mj-hero", "mj-raw"})
BLOCKS = frozenset(
    {
        "mj-accordion", "mj-button", "mj-carousel", "mj-divider", "mj-image", "mj-navbar", "mj-raw", "mj-social",
        "mj-spacer", "mj-table", "mj-text",
    }
)  # fmt: skip

# What may stand directly inside each element that holds other elements.
CHILDREN: dict[str, frozenset[str]] = {
    "mjml": frozenset({"mj-head", "mj-body"}),
    "mj-head": HEAD,
    "mj-body": SECTIONS,
    "mj-wrapper": frozenset({"mj-section", "mj-hero", "mj-raw"}),
    "mj-section": frozenset({"mj-column", "mj-group", "mj-raw"}),
    "mj-group": frozenset({"mj-column", "mj-raw"}),
    "mj-column": BLOCKS,
    "mj-hero": BLOCKS,
    "mj-accordion": frozenset({"mj-accordion-element"}),
    "mj-accordion-element": frozenset({"mj-accordion-title", "mj-accordion-text"}),
    "mj-carousel": frozenset({"mj-carousel-image"}),
    "mj-navbar": frozenset({"mj-navbar-link"}),
    "mj-social": frozenset({"mj-social-element"}),
}
# Containers whose loose control tags ({% if … %}) are wrapped in mj-raw, where they keep their place.
LOOSE_TAGS_IN = frozenset({"mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"})
KNOWN = frozenset(CHILDREN) | frozenset().union(*CHILDREN.values()) | {"mj-all", "mj-class"}

REFUSED: dict[str, str] = {
    "mj-include": "An email cannot take in other files: copy the part here.",
    "mj-font": "Fonts are not fetched from other sites: name installed fonts in font-family.",
    "script": "Mail programs do not run scripts: take this out.",
    "iframe": "Mail programs do not show frames: take this out.",
    "object": "Mail programs do not show embedded objects: take this out.",
    "embed": "Mail programs do not show embedded objects: take this out.",
    "applet": "Mail programs do not show embedded objects: take this out.",
    "form": "Forms do not work in mails: link to a page instead.",
    "input": "Forms do not work in mails: link to a page instead.",
    "base": "An address that changes every link is not allowed: write whole addresses.",
    "link": "Files of other sites are not fetched: write the styles in mj-style.",
    "meta": "Headers of the page are ours to write: take this out.",
    "svg": "Mail programs do not show SVG: use an image.",
}
VOID = frozenset({"br", "hr", "img", "wbr", "col", "area", "source"})
LINK_ATTRIBUTE = {
    "a": "href",
    "area": "href",
    "mj-button": "href",
    "mj-image": "href",
    "mj-carousel-image": "href",
    "mj-navbar-link": "href",
    "mj-social-element": "href",
    "mj-hero": "href",
}
