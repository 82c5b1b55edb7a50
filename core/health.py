"""Health for machines: live (this process answers), ready (what it needs answers too), metrics (Prometheus)."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse


def live(request: HttpRequest) -> JsonResponse:
    """Answer: a process that can is alive. Asks nobody else, so a broken database does not restart the web."""
    return JsonResponse({"status": "live"})
