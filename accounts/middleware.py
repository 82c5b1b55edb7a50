"""Opens the tenant's scope for every page under /t/<slug>/ and answers strangers as if nothing were there.

One transaction around the view: an exception or an answer of 500 and more rolls it back. It also renders deferred
responses, because they may still query. Error pages are rendered outside, from what is already loaded.
A streaming response runs after the transaction is over: open `tenant_scope` inside its generator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import OperationalError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.response import SimpleTemplateResponse

from accounts.audit import acting_from
from accounts.http import TenantRequest
from accounts.looking import looking_as
from accounts.models import Membership, Tenant
from accounts.operations.presence import note_presence
from accounts.queries import active_membership
from core import clock
from core.tenancy import tenant_scope

# lock_not_available and deadlock_detected: somebody else is at work on the same rows.
BUSY = {"55P03", "40P01"}
View = Callable[..., HttpResponseBase]


class TenantMiddleware:
    """See the module."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Serve a tenant's page; leave every other one alone."""
        if "tenant" not in kwargs:
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        page = cast("TenantRequest", request)
        page.tenant = _tenant(kwargs["tenant"])
        with structlog.contextvars.bound_contextvars(user=request.user.pk), acting_from(client_ip(request)):
            try:
                return self._serve(page, view, args, kwargs)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in BUSY:
                    raise
                return render(request, "409.html", status=409)

    def _serve(
        self, request: TenantRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase:
        with tenant_scope(request.tenant.pk, first=limit_waiting):
            request.member = _member(request)
            if not getattr(view, "outside_transaction", False):
                with looking_as(request.member):
                    return _finished(view(request, *args, **kwargs))
        with looking_as(request.member):
            return _finished(view(request, *args, **kwargs))


def limit_waiting() -> None:
    """Let no page wait long for a lock or a query, for this transaction only: workers have limits of their own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)",
            [settings.PAGE_LOCK_TIMEOUT, settings.PAGE_STATEMENT_TIMEOUT],
        )


def _tenant(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise Http404
    return tenant


def _member(request: TenantRequest) -> Membership:
    member = active_membership(request.user)
    if member is None:
        raise Http404
    member.tenant = request.tenant
    note_presence(member=member, now=clock.now())
    return member


def _finished(response: HttpResponseBase) -> HttpResponseBase:
    """Render a deferred response; see that the transaction of a failed one is rolled back."""
    if isinstance(response, SimpleTemplateResponse):
        response = response.render()
    if response.status_code >= 500 and connection.in_atomic_block:
        transaction.set_rollback(True)
    return response


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Send to sign-in; the same for tenants that exist and those that do not. A request of an open page is told 401:
    the page stays with what was typed in it and asks to sign in beside it (frontend/shell/signed-out.js)."""
    if getattr(request, "htmx", False):
        return HttpResponse(status=401)
    return redirect_to_login(request.get_full_path())


def client_ip(request: HttpRequest) -> str | None:
    """Return the address of the peer; a proxy in front must set it (docs/operations.md)."""
    return request.META.get("REMOTE_ADDR") or None
