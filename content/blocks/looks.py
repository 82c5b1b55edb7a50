"""What a block looks like that the canvas shows and cannot change: the footer, the social networks, a table.

The server's own compile, with nothing in it that could act: no links, no styles of a page, no comments.
"""

from __future__ import annotations

from collections.abc import Mapping

import mrml
import nh3
from django.conf import settings

from content.blocks.kinds import kind_of
from content.blocks.tokens import name_of
from content.blocks.tree import Node, write_nodes
from content.brand import BrandValues, branded
from content.tags import Hidden, unescaped

SHOWN_KINDS = frozenset({"footer", "social", "html"})
_ELEMENTS = {
    "table", "tbody", "thead", "tr", "td", "th", "div", "span", "a", "img", "p", "br", "strong", "b", "em", "i", "u",
    "h1", "h2", "h3", "h4", "ul", "ol", "li", "hr",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"style", "align", "valign", "width", "height", "alt", "border", "cellpadding", "cellspacing"}
}


def look_of(node: Node, brand: BrandValues, names: Mapping[str, str]) -> str:
    """Return safe HTML of one block in the brand, its merge tags by name; "" where it shows nothing by itself."""
    if kind_of(node, 3).name not in SHOWN_KINDS and node.name != "mj-table":
        return ""
    column = f"<mj-column>{write_nodes([node])}</mj-column>"
    mjml = f'<mjml><mj-body><mj-section padding="0">{column}</mj-section></mj-body></mjml>'
    hidden = Hidden(branded(unescaped(mjml), brand))
    options = mrml.RenderOptions(fonts={}, social_icon_origin=f"{settings.PUBLIC_URL}/static/mail/")
    try:
        page = mrml.to_html(
            hidden.source, mrml.ParserOptions(include_loader=mrml.noop_loader()), options
        ).content
    except OSError:
        return ""
    body = str(page).partition("<body")[2].partition(">")[2].rpartition("</body>")[0]
    clean = nh3.clean(
        body, tags=_ELEMENTS, attributes={**_ATTRIBUTES, "img": {"src"}}, strip_comments=True, link_rel=None,
        url_schemes={"http", "https", "data"},
    )  # fmt: skip
    for number, tag in enumerate(hidden.tags):
        word = hidden.word(number)
        clean = clean.replace(word, f"<span data-shown>{nh3.clean_text(name_of(tag.text, names))}</span>")
    # Pictures of ours come from the page's own host, whatever the mail's host is.
    return clean.replace(f'src="{settings.PUBLIC_URL}/', 'src="/').strip()
