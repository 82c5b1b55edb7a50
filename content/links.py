"""Links of an email: which may be written, which are tracked, and putting the tracking in their place.

A tracked link's scheme and host are written out by the tenant: no merge value can choose where a click leads.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from content.tags import TAG

# In every compiled template: the start of the message's own click addresses; the link's number follows.
CLICK = "{{ _click }}"
_UNTRACKED = re.compile(r"(?i)(mailto|tel|sms):[^\s]")
_WEB = re.compile(r"(?i)https?://")
_HOST = re.compile(r"(?i)https?://[^/?#\s@\\{]+(?=[/?#]|$)")
_OUR_LINK = re.compile(r"\{\{\s*(links\.\w+|brand\.website)\s*\}\}")
_ANCHOR = re.compile(
    r"(<(?:a|area)\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?\shref=)(\"[^\"]*\"|'[^']*')((?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)"
    r"(.*?)(?=</a>|<a\b|$)",
    re.DOTALL | re.IGNORECASE,
)
_ALT = re.compile(r"\balt=\"([^\"]*)\"")
_IN_TEXT = re.compile(r"https?://(?:\{\{.*?\}\}|[^\s<>\"{}])+")


@dataclass(frozen=True, slots=True)
class EmailLink:
    """A link of an email: its number in the message, the address (with merge tags) and what people read; or the key
    of the registered link that it is."""

    number: int
    url: str
    label: str
    key: str = ""


def link_problem(address: str) -> str | None:
    """Return why a link's address cannot be used, or None."""
    text = re.sub(r"[\x00-\x20\x7f]", "", address) if not TAG.search(address) else address.strip()
    if not text or text.startswith("#") or _OUR_LINK.fullmatch(text) or _UNTRACKED.match(text):
        return None
    scheme = re.match(r"(?i)([a-z][a-z0-9+.-]*):", text)
    if scheme and scheme[1].lower() not in {"http", "https"}:
        return f"A link cannot begin with “{scheme[1]}:”. Write an address that begins with https://."
    if not _WEB.match(text):
        return "A link begins with https://, mailto: or tel:."
    if text.lower() in {"http://", "https://"}:
        return "Write the address that this leads to, as in https://example.com/page."
    if not _HOST.match(text):
        return "Write the site's name out: a merge tag may stand only after it, as in https://example.com/{{ … }}."
    return None


def is_tracked(address: str) -> bool:
    """Say whether a link that passed `link_problem` is counted when it is clicked."""
    return bool(_WEB.match(address.strip()))


class LinkTracker:
    """Numbers the ordinary links of one email and puts the message's click addresses in their place."""

    def __init__(self) -> None:
        self.links: list[EmailLink] = []

    def in_html(self, source: str, restore: Callable[[str], str]) -> str:
        """Return HTML with its tracked links replaced. `restore` puts the hidden merge tags back."""

        def replace(match: re.Match[str]) -> str:
            address = restore(html.unescape(match[2][1:-1])).strip()
            if not is_tracked(address):
                return match.group()
            return f'{match[1]}"{self._add(address, _label(restore(match[4])))}"{match[3]}{match[4]}'

        return _ANCHOR.sub(replace, source)

    def in_text(self, source: str) -> str:
        """Return text with its tracked links replaced; a full stop at the end belongs to the sentence."""

        def replace(match: re.Match[str]) -> str:
            address = match.group().rstrip(".,;:!?)")
            if link_problem(address):
                return match.group()
            return self._add(address, "") + match.group()[len(address) :]

        return _IN_TEXT.sub(replace, source)

    def register(self, keys: Iterable[str]) -> None:
        """Number the registered links that the email names: their tags are filled with their own click addresses."""
        for key in sorted(keys):
            self.links.append(EmailLink(len(self.links) + 1, "", "", key))

    def _add(self, address: str, label: str) -> str:
        number = next((link.number for link in self.links if link.url == address and not label), 0)
        if not number:
            number = len(self.links) + 1
            self.links.append(EmailLink(number, address, label))
        return f"{CLICK}{number}"


def _label(inside: str) -> str:
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", inside)).split())
    if not words and (alt := _ALT.search(inside)):
        words = html.unescape(alt[1])
    return words[:200]
