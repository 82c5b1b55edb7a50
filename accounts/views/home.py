"""The home page of a tenant."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from accounts.home import home_parts
from accounts.http import TenantRequest
from accounts.queries import tenant_now


def home(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show what runs, what needs attention and what to do next, as far as the member may see it."""
    parts = home_parts(request.member, tenant_now(request.tenant.pk))
    return render(request, "accounts/home.html", {"parts": parts})
