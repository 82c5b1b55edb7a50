"""What templates/base.html needs of the request: tenant, membership, theme, navigation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.navigation import rail_of

THEMES = ("auto", "light", "dark")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the tenant, the membership, the rail's entries and the chosen theme."""
    member = getattr(request, "member", None)
    theme = request.COOKIES.get("theme", "auto")
    return {
        "tenant": getattr(request, "tenant", None),
        "member": member,
        # A part of a page, as htmx asks for it, shows no rail.
        "rail": SimpleLazyObject(lambda: rail_of(member, request.path) if member else []),
        "theme": theme if theme in THEMES else "auto",
    }
