"""The footer of a mail: ours where its writer has none, and our words in it, in the language of the mail. Pure."""

from __future__ import annotations

import re

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from content.sandbox import always_shows
from core.texts import spoken

_UNSUBSCRIBE = "links.unsubscribe"
_FOOTER = """<mj-section padding="8px 16px 24px"><mj-column><mj-text align="center" color="{{ brand.muted }}"
font-size="12px" line-height="18px"><span style="white-space:pre-line">{{ tenant.name }}
{{ tenant.postal_address }}</span><br/>
<a href="{{ links.unsubscribe }}" style="color:{{ brand.muted }}">Unsubscribe</a>
 · <a href="{{ links.preferences }}" style="color:{{ brand.muted }}">Preferences</a></mj-text>
</mj-column></mj-section>"""
_TEXT_FOOTER = "\n--\n{{ tenant.name }}\n{{ tenant.postal_address }}\n%s: {{ links.unsubscribe }}\n"
_WORDS = {
    "unsubscribe": gettext_noop("Unsubscribe"),
    "preferences": gettext_noop("Preferences"),
    "view_in_browser": gettext_noop("View in browser"),
}
_LINK = re.compile(
    r"(<a href=\"\{\{ links\.(unsubscribe|preferences|view_in_browser) \}\}\"[^>]*>)([^<]*)(?=</a>)"
)
# Name and address are read from the side that each line's own letters are: a house number stays before its street.
_LINES, _EITHER_WAY = (
    '<span style="white-space:pre-line">',
    '<span dir="auto" style="white-space:pre-line;unicode-bidi:plaintext">',
)


def with_footer(mjml: str, written: str) -> str:
    """Return a source with our footer, unless what was written always shows a link to unsubscribe."""
    if always_shows(written, _UNSUBSCRIBE):
        return mjml
    before, end, after = mjml.rpartition("</mj-body>")
    if end:
        return f"{before}{_FOOTER}{end}{after}"
    return mjml.replace("<mj-body/>", f"<mj-body>{_FOOTER}</mj-body>")


def text_footer(written: str, language: str) -> str:
    """Return the end of a plain text; nothing where what was written always shows a link to unsubscribe."""
    if always_shows(written, _UNSUBSCRIBE):
        return ""
    with translation.override(spoken(language)):
        return _TEXT_FOOTER % gettext(_WORDS["unsubscribe"])


def spoken_footer(mjml: str, language: str) -> str:
    """Return a source whose footer speaks the language of the mail, as far as its words are still ours."""
    mjml = mjml.replace(_LINES, _EITHER_WAY)
    with translation.override(spoken(language)):
        words = {name: gettext(word) for name, word in _WORDS.items()}
    return _LINK.sub(lambda link: link[1] + (words[link[2]] if link[3] == _WORDS[link[2]] else link[3]), mjml)
