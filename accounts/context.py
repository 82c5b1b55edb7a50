"""What templates/base.html needs of the signed-in user."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the tenant, the membership and the rights of the request."""
    return {"tenant": getattr(request, "tenant", None), "member": getattr(request, "member", None)}
