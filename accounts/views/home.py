"""The home page of a tenant."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from accounts.http import TenantRequest


def home(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show what runs, what needs attention and what to do next."""
    return render(request, "accounts/home.html")
