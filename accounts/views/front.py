"""The front door: which tenant does the signed-in user want to enter? And the choice of theme."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.context import THEMES
from accounts.models import User
from accounts.queries import tenants_of
from accounts.urls_for import turl

YEAR = 365 * 24 * 3600


@login_required
def front(request: HttpRequest) -> HttpResponse:
    """Enter the only tenant, or let the user choose."""
    tenants = tenants_of(cast("User", request.user))
    if len(tenants) == 1 and "choose" not in request.GET:
        return redirect(turl(tenants[0], "accounts:home"))
    return render(request, "accounts/choose_tenant.html", {"tenants": tenants})


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme in a cookie, so that the server renders it and nothing flashes."""
    theme = request.POST.get("theme", "auto")
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    response = (
        HttpResponse(status=204)
        if getattr(request, "htmx", False)
        else HttpResponseRedirect(back if safe else "/")
    )
    if theme in THEMES:
        response.set_cookie(
            "theme", theme, max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
        )
    return response
