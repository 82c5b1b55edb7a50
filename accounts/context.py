"""What templates/base.html needs of the request: tenant, membership, theme, navigation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.navigation import rail_of

THEMES = ("auto", "light", "dark")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the tenant, the membership, the rail's entries and the chosen theme."""
    member = getattr(request, "member", None)
    theme = request.COOKIES.get("theme", "auto")
    return {
        "tenant": getattr(request, "tenant", None),
        "member": member,
        "rail": rail_of(member, request.path) if member else [],
        "theme": theme if theme in THEMES else "auto",
    }
