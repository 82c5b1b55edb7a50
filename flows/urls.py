"""Pages of flows."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "flows"
urlpatterns: list[URLPattern | URLResolver] = []
