"""Settings: roles."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts import operations
from accounts.forms import RoleForm
from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import Role
from accounts.urls_for import turl
from accounts.views.users import PEOPLE, REFUSALS


@needs(*PEOPLE)
def roles(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the roles."""
    size = Count("memberships", filter=Q(memberships__is_active=True), distinct=True)
    listed = Role.objects.annotate(size=size).prefetch_related("rights")
    return render(request, "accounts/roles.html", {"roles": listed})


@needs(*PEOPLE)
def role_new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Make a role."""
    return _edit(request, None)


@needs(*PEOPLE)
def role(request: TenantRequest, tenant: str, role_id: int) -> HttpResponse:
    """Change a role."""
    return _edit(request, get_object_or_404(Role, pk=role_id))


def _edit(request: TenantRequest, shown: Role | None) -> HttpResponse:
    form = RoleForm(request.POST or None, initial=RoleForm.initial_of(shown) if shown else None)
    if request.method == "POST" and form.is_valid():
        try:
            saved = operations.save_role(
                role_id=shown.pk if shown else None,
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                rights=form.cleaned_data["rights"],
                data_rights=form.data_rights(),
                actor=request.member,
            )
        except operations.RoleNameTaken as refusal:
            form.add_error("name", str(refusal))
        except REFUSALS as refusal:
            form.add_error("rights", str(refusal))
        else:
            messages.success(request, f"Role {saved} saved.")
            return redirect(turl(request.tenant, "accounts:roles"))
    page = {"form": form, "shown": shown, "size": shown.memberships.count() if shown else 0}
    return render(request, "accounts/role.html", page, status=422 if form.is_bound else 200)


@require_POST
@needs(*PEOPLE)
def role_delete(request: TenantRequest, tenant: str, role_id: int) -> HttpResponse:
    """Delete a role that nobody has."""
    shown = get_object_or_404(Role, pk=role_id)
    try:
        operations.delete_role(role_id=shown.pk, actor=request.member)
    except (operations.RoleInUse, operations.BeyondOwnRights) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Role {shown} deleted.")
    return redirect(turl(request.tenant, "accounts:roles"))
