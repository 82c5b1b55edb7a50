"""The page behind an invitation's link: join signed in, or make an account."""

from __future__ import annotations

from typing import cast

from django.contrib.auth import login
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import operations
from accounts.forms import RegisterForm
from accounts.models import Invitation, Tenant, User
from accounts.operations.invitations import open_invitation, tenant_of_invitation
from accounts.urls_for import turl
from core import clock
from core.signing import BadToken
from core.tenancy import tenant_scope

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Let the holder of the link join, once; a forged, used or old link gets one and the same answer."""
    try:
        tenant_id, invitation_id = tenant_of_invitation(token)
        with tenant_scope(tenant_id):
            tenant = Tenant.objects.get(pk=tenant_id)
            shown = open_invitation(invitation_id=invitation_id, now=clock.now())
            if request.user.is_authenticated:
                return _join(request, tenant, shown)
            return _register(request, tenant, shown)
    except (BadToken, operations.InvitationOver, Tenant.DoesNotExist):
        return render(request, "accounts/invitation_over.html", status=404)


def _join(request: HttpRequest, tenant: Tenant, shown: Invitation) -> HttpResponse:
    refused = ""
    if request.method == "POST":
        user = cast("User", request.user)
        try:
            operations.accept_invitation(invitation_id=shown.pk, user=user, now=clock.now())
        except operations.AlreadyMember:
            refused = f"{user.email} is a member of {tenant} already."
        else:
            return redirect(turl(tenant, "accounts:home"))
    page = {"invitation": shown, "company": tenant, "refused": refused}
    return render(request, "accounts/invitation_join.html", page, status=422 if refused else 200)


def _register(request: HttpRequest, tenant: Tenant, shown: Invitation) -> HttpResponse:
    if User.objects.filter(email=shown.email).exists():
        return redirect_to_login(request.get_full_path())
    form = RegisterForm(request.POST or None, invitation=shown)
    if request.method == "POST" and form.is_valid():
        member = operations.register_by_invitation(
            invitation_id=shown.pk, **form.cleaned_data, now=clock.now()
        )
        login(request, member.user, backend=BACKEND)
        return redirect(turl(tenant, "accounts:home"))
    page = {"invitation": shown, "company": tenant, "form": form}
    return render(request, "accounts/invitation_register.html", page, status=422 if form.is_bound else 200)
