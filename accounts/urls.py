"""Pages of accounts inside a tenant: home and settings."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from accounts.views.home import home

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
]
