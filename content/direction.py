"""The language of a mail in its markup: `lang` and `dir`, and from right to left what MJML would put at the left.

Pure. Whatever the source itself says (a direction, an alignment) wins.
"""

from __future__ import annotations

import re

from django.conf.locale import LANG_INFO

from content.tags import masked

RIGHT_TO_LEFT = frozenset(code for code, info in LANG_INFO.items() if info.get("bidi"))
_ROOT = re.compile(r"<mjml\b(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(?P<end>/?>)")
_SIDE = re.compile(r"(?<=\salign=\")(left|right)(?=\")")
_HEAD = re.compile(r"<mj-head\b[^>]*?(/?)>")
# MJML writes a direction at sections and columns, and an alignment at texts, whatever the root says.
MIRRORED = (
    '<mj-attributes><mj-text align="right" /><mj-table align="right" /><mj-section direction="rtl" />'
    '<mj-group direction="rtl" /><mj-column direction="rtl" /></mj-attributes>'
)


def direction_of(language: str) -> str:
    """Return "rtl" or "ltr" for a language, with or without its region; "" where there is none."""
    if not language:
        return ""
    code = language.lower()
    return "rtl" if {code, code.partition("-")[0]} & RIGHT_TO_LEFT else "ltr"


def directed(mjml: str, language: str) -> str:
    """Return an MJML source with its language: screen readers read it so, and it begins at the side it is read from."""
    if not language:
        return mjml
    mjml = _with_root(mjml, {"lang": language, "dir": direction_of(language)})
    return with_head(mjml, MIRRORED) if direction_of(language) == "rtl" else mjml


def mirrored(mjml: str) -> str:
    """Return a source with left and right exchanged where it says an alignment: the layout of the other direction."""
    hidden = masked(mjml)
    for place in reversed([match.span(1) for match in _SIDE.finditer(hidden)]):
        said = mjml[slice(*place)]
        mjml = mjml[: place[0]] + ("right" if said == "left" else "left") + mjml[place[1] :]
    return mjml


def _with_root(mjml: str, wanted: dict[str, str]) -> str:
    root = _ROOT.search(masked(mjml))
    if root is None:
        return mjml
    said = root["attributes"].lower()
    new = "".join(
        f' {name}="{value}"' for name, value in wanted.items() if not re.search(rf"\s{name}\s*=", said)
    )
    place = root.end("attributes")
    return mjml[:place] + new + mjml[place:]


def with_head(mjml: str, inside: str) -> str:
    """Return a source with something at the beginning of its head: the least specific, so the head's own wins."""
    hidden = masked(mjml)
    head = _HEAD.search(hidden)
    if head is not None:
        start, end = head.span()
        opened = f"<mj-head>{inside}</mj-head>" if head[1] else mjml[start:end] + inside
        return mjml[:start] + opened + mjml[end:]
    root = _ROOT.search(hidden)
    place = root.end() if root else 0
    return f"{mjml[:place]}<mj-head>{inside}</mj-head>{mjml[place:]}"
