"""Settings: groups."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts import operations
from accounts.forms import NameForm
from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import Group
from accounts.urls_for import turl
from accounts.views.users import PEOPLE


@needs(*PEOPLE)
def groups(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the groups; make a new one."""
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            group = operations.create_group(name=form.cleaned_data["name"], actor=request.user)
        except operations.GroupNameTaken as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"Group {group} made.")
            return redirect(turl(request.tenant, "accounts:groups"))
    active = Count("primary_members", filter=Q(primary_members__is_active=True))
    page = {"groups": Group.objects.annotate(size=active), "form": form}
    return render(request, "accounts/groups.html", page, status=422 if form.is_bound else 200)


@needs(*PEOPLE)
def group(request: TenantRequest, tenant: str, group_id: int) -> HttpResponse:
    """Rename a group."""
    shown = get_object_or_404(Group, pk=group_id)
    form = NameForm(request.POST or None, initial={"name": shown.name})
    if request.method == "POST" and form.is_valid():
        try:
            operations.rename_group(group_id=shown.pk, name=form.cleaned_data["name"], actor=request.user)
        except operations.GroupNameTaken as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, "Group renamed.")
            return redirect(turl(request.tenant, "accounts:groups"))
    members = shown.primary_members.select_related("user", "role").filter(is_active=True)
    page = {"shown": shown, "form": form, "members": members}
    return render(request, "accounts/group.html", page, status=422 if form.is_bound else 200)


@require_POST
@needs(*PEOPLE)
def group_delete(request: TenantRequest, tenant: str, group_id: int) -> HttpResponse:
    """Delete a group that nobody has."""
    shown = get_object_or_404(Group, pk=group_id)
    try:
        operations.delete_group(group_id=shown.pk, actor=request.user)
    except operations.GroupInUse as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Group {shown} deleted.")
    return redirect(turl(request.tenant, "accounts:groups"))
