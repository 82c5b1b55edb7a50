"""Every URL. Pages of a tenant live under /t/<slug>/; public pages carry their tenant in a signed token."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

tenant_pages: list[URLPattern | URLResolver] = []

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("t/<slug:tenant>/", include(tenant_pages)),
]
