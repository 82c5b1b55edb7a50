"""What can be done to a whole flow from its menu: copy, rename, put into a folder, delete."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from flows.models import Flow
from flows.operations import folders, lifecycle
from flows.operations.consent import taken_out
from flows.operations.create import copy_flow
from flows.operations.drafts import draft_of
from flows.operations.rename import rename_flow
from flows.visibility import visible_flows
from participants.dialogs import form_dialog, go
from participants.flow_page import visible_flow
from reporting.forms import NameForm, PlaceForm


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def copy(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Copy a flow with its emails; the copy has no participants and does not run."""
    flow = visible_flow(request.member, flow_id)
    made = copy_flow(flow=flow, actor=request.user, now=tenant_now(request.tenant.pk))
    messages.success(request, f"{made.name} made. It does not run and has no participants.")
    if note := taken_out(draft_of(flow), draft_of(made), what="The original"):
        messages.warning(request, note)
    return redirect(turl(request.tenant, "reporting:flow", made.pk))


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def delete(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Delete a flow that is not running; what was sent stays on the contacts' timelines."""
    flow = visible_flow(request.member, flow_id)
    try:
        lifecycle.delete(flow_id=flow.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    except lifecycle.WrongStatus as refused:
        messages.error(request, str(refused))
    except lifecycle.InUse as refused:
        messages.error(request, _in_use(request, flow, refused))
    else:
        messages.success(request, f"{flow.name} deleted.")
        return redirect(turl(request.tenant, "reporting:flows"))
    return redirect(turl(request.tenant, "reporting:flow", flow.pk))


def _in_use(request: TenantRequest, flow: Flow, refused: lifecycle.InUse) -> SafeString:
    """Say what uses a flow, each with a link to the place; a flow that one may not see keeps its name."""
    users = {use.user_id: use for use in reversed(refused.uses)}
    seen = visible_flows(request.member).filter(pk__in=users).order_by("name").values_list("pk", flat=True)
    found = [format_html('<a href="{}">{}</a>', users[pk].url, users[pk].user_name) for pk in seen]
    if len(found) < len(users):
        found.append(format_html("{}", "a flow that you may not see"))
    return format_html(
        "{} cannot be deleted: it is used by {}.",
        flow.name,
        format_html_join(", ", "{}", ((one,) for one in found)),
    )


@require_http_methods(["GET", "POST"])
@needs(Right.FLOW_ADMINISTRATOR)
def rename(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Give a flow another name."""
    flow = visible_flow(request.member, flow_id)
    here = turl(request.tenant, "reporting:flow", flow.pk)
    form = NameForm(request.POST or None, initial={"name": flow.name})
    if request.method == "POST" and form.is_valid():
        rename_flow(
            flow_id=flow.pk,
            name=form.cleaned_data["name"],
            actor=request.user,
            now=tenant_now(request.tenant.pk),
        )
        messages.success(request, "Flow renamed.")
        return go(request, here)
    return form_dialog(request, title=f"Rename {flow.name}", form=form, verb="Rename", back=here)


@require_http_methods(["GET", "POST"])
@needs(Right.FLOW_ADMINISTRATOR)
def put_into_folder(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Put a flow into a folder, or at the top."""
    flow = visible_flow(request.member, flow_id)
    list_url = turl(request.tenant, "reporting:flows")
    form = PlaceForm(request.POST or None, initial={"folder": flow.folder_id})
    if request.method == "POST" and form.is_valid():
        folder = form.cleaned_data["folder"]
        folders.move_flow(flow_id=flow.pk, folder_id=folder.pk if folder else None)
        messages.success(request, f"{flow.name} is now in {folder.name if folder else 'no folder'}.")
        return go(request, f"{list_url}?folder={folder.pk}" if folder else list_url)
    return form_dialog(request, title=f"Move {flow.name}", form=form, verb="Move", back=list_url)
