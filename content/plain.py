"""The plain-text part of an email, made from its compiled HTML: headings, lists, links with their address."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset({"p", "div", "tr", "table", "ul", "ol", "blockquote", "section", "header", "footer", "h1", "h2",
                     "h3", "h4", "h5", "h6", "pre", "hr"})  # fmt: skip
_SILENT = frozenset({"head", "style", "script", "title"})
_VOID = frozenset({"br", "hr", "img", "meta", "link", "input", "wbr", "col", "area", "source"})
# An address in several lines stays so: {{ tenant.postal_address }} in a mail's footer.
_KEEPS_LINES = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)


class _Reader(HTMLParser):
    """Collects the lines of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.silent = self.lined = 0
        # Of each open element, whether it is silent, and whether it keeps its lines.
        self.open: list[tuple[bool, bool]] = []
        self.links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in _VOID:
            style = given.get("style") or ""
            hides = tag in _SILENT or bool(_HIDDEN.search(style))
            lined = tag == "pre" or bool(_KEEPS_LINES.search(style))
            self.open.append((hides, lined))
            self.silent += hides
            self.lined += lined
        if self.silent:
            return
        if tag == "a":
            self.links.append((given.get("href") or "", len(self.out)))
        elif tag == "li":
            self.out.append("\n- ")
        elif tag == "br":
            self.out.append("\n")
        elif tag == "hr":
            self.out.append("\n\n----\n\n")
        elif tag == "img":
            self.out.append(given.get("alt") or "")
        elif tag in _BLOCKS:
            self.out.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        was_silent = bool(self.silent)
        if self.open:
            hides, lined = self.open.pop()
            self.silent -= hides
            self.lined -= lined
        if was_silent:
            return
        if tag == "a" and self.links:
            self._end_link(*self.links.pop())
        elif tag in {"td", "th"}:
            self.out.append(" ")
        elif tag in _BLOCKS:
            self.out.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.out.append(re.sub(r"[^\S\n]+" if self.lined else r"\s+", " ", data))

    def _end_link(self, address: str, start: int) -> None:
        words = "".join(self.out[start:]).strip()
        address = address.removeprefix("mailto:").removeprefix("tel:")
        if address and not address.startswith("#") and address != words:
            self.out.append(f": {address}" if words else address)


def text_from_html(source: str) -> str:
    """Return the text of a page; a link follows its words after a colon."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    lines = [re.sub(r"[ \t\u00a0]+", " ", line).strip() for line in "".join(reader.out).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
