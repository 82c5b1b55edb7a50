"""What a page says where something in use was to be deleted: what uses it, each with the way to it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.models import Usage
from crm.operations.usage import InUse

# So many places are named; the thing's own page lists them all.
SHOWN = 5


def in_use(refused: InUse) -> SafeString:
    """Return `Fans cannot be deleted: it is used by <Welcome (Hand out)>, <Win-back> and 3 more.` with links."""
    return format_html("{} cannot be deleted: it is used by {}.", refused.name, links_to(refused.uses))


def links_to(uses: Sequence[Usage]) -> SafeString:
    """Return the places that use something, as links; what one may not see has neither place nor link."""
    ways = list(dict.fromkeys((use.url, use.user_name, use.place) for use in uses))
    links = [_link(*way) for way in ways[:SHOWN]]
    more = f" and {len(ways) - SHOWN} more" if len(ways) > SHOWN else ""
    return format_html("{}{}", format_html_join(", ", "{}", ((one,) for one in links)), more)


def _link(url: str, name: str, place: str) -> SafeString:
    text = f"{name} ({place})" if place else name
    return format_html('<a href="{}">{}</a>', url, text) if url else format_html("{}", text)
