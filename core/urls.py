"""Health endpoints for machines."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from core import views

app_name = "health"
urlpatterns: list[URLPattern | URLResolver] = [
    path("live", views.live, name="live"),
    path("ready", views.ready, name="ready"),
    path("metrics", views.metrics, name="metrics"),
]
