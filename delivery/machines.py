"""Which requests are made by machines: scanners, previews, crawlers. Heuristics; what they mark counts for nothing.

Image proxies of mailbox providers fetch when a person opens, so they are people here; proxies that fetch for everyone
in advance (mail privacy protection) are not.
"""

from __future__ import annotations

import re

from django.http import HttpRequest

_AGENTS = re.compile(
    r"bot\b|crawl|spider|scan|preview|curl|wget|python|java/|go-http|okhttp|libwww|httpclient|headless|phantom"
    r"|barracuda|mimecast|proofpoint|symantec|messagelabs|fireeye|trendmicro|cisco|ironport|safelinks|urldefense"
    r"|facebookexternalhit|slack|whatsapp|telegram|skype|linkcheck|monitor",
    re.IGNORECASE,
)
# Mail privacy protection names nothing but this.
_BARE = frozenset({"", "mozilla/5.0", "mozilla/4.0"})
_PREFETCH = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def is_machine(request: HttpRequest) -> bool:
    """Say whether a machine probably made the request."""
    if request.method == "HEAD":
        return True
    if is_machine_agent(request.headers.get("User-Agent", "")):
        return True
    return any("prefetch" in request.headers.get(name, "").lower() for name in _PREFETCH)


def is_machine_agent(agent: str) -> bool:
    """Say whether a machine probably calls itself so."""
    agent = agent.strip()
    return agent.lower() in _BARE or bool(_AGENTS.search(agent))
