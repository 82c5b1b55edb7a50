"""Pages of crm."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "crm"
urlpatterns: list[URLPattern | URLResolver] = []
