"""Answers that hold a mail's own HTML: it runs nothing, asks nothing of us, and cannot pose as one of our pages."""

from __future__ import annotations

from django.http import HttpResponse

_POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; "
    "form-action 'none'; base-uri 'none'"
)
# Links work, and open as ordinary pages.
_LINKS = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"


def mail_response(html: str, *, framed: bool = False) -> HttpResponse:
    """Return the mail as a page of its own; `framed` lets our own pages show it in a frame, links dead."""
    sandbox = "sandbox" if framed else f"sandbox {_LINKS}"
    response = HttpResponse(html)
    ancestors = "'self'" if framed else "'none'"
    response["Content-Security-Policy"] = f"{_POLICY}; frame-ancestors {ancestors}; {sandbox}"
    response["X-Frame-Options"] = "SAMEORIGIN" if framed else "DENY"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
