"""Whether somebody is still signed in, for pages that were open when the session ended, and where one comes back."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET


@never_cache
@require_GET
def session(request: HttpRequest) -> JsonResponse:
    """Answer who is signed in here ({"user": id or null}), and the token that a page's forms need from now on."""
    user = request.user.pk if request.user.is_authenticated else None
    return JsonResponse({"user": user, "token": get_token(request)})


@require_GET
def signed_in(request: HttpRequest) -> HttpResponseBase:
    """Say that one may go back to the page that asked to sign in."""
    return render(request, "accounts/signed_in.html")
