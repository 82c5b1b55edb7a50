"""Words with bold, links and lists, as the block editor's own field writes them. Nothing else gets through.

Merge tags are hidden from the cleaner: it would escape what they compare.
"""

from __future__ import annotations

import re

import nh3

from content.tags import Hidden

_TAGS = {"p", "br", "strong", "b", "em", "i", "u", "a", "ul", "ol", "li"}
_DIVISION = re.compile(r"<(/?)div\b[^>]*>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_EMPTY = re.compile(r"<p>(\s|&nbsp;|<br/>)*</p>")


def clean_rich(written: str) -> str:
    """Return HTML that holds words, paragraphs, bold, italics, links and lists only, well-formed as MJML wants it."""
    hidden = Hidden(_DIVISION.sub(r"<\1p>", written))
    cleaned = nh3.clean(
        hidden.source, tags=_TAGS, attributes={"a": {"href"}}, link_rel=None, strip_comments=True,
        url_schemes={"http", "https", "mailto", "tel"},
    )  # fmt: skip
    whole = _EMPTY.sub("", _BREAK.sub("<br/>", cleaned)).replace("&nbsp;", "&#160;")
    return hidden.restore(whole).strip()


def is_rich(written: str) -> bool:
    """Say whether the block editor's field can hold this HTML without losing anything."""
    return _bare(clean_rich(written)) == _bare(written)


def _bare(text: str) -> str:
    same = _BREAK.sub("<br>", text).replace("&nbsp;", "&#160;").replace("\u00a0", "&#160;")
    same = re.sub(r"&(?:quot|#34);", '"', re.sub(r"&(?:#39|#x27|apos);", "'", same))
    return re.sub(r"\s+", "", same)
