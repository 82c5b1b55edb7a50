"""Health endpoints for machines."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from core import health

app_name = "health"
urlpatterns: list[URLPattern | URLResolver] = [
    path("live", health.live, name="live"),
]
