"""Saved views of the flow list and of participants: keep what is shown under a name, delete. Shells around
flows.operations.saved_views."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from flows.models import SavedView
from flows.operations.saved_views import FLOWS, PARTICIPANTS, ViewRefused, delete_view, kept_query, save_view
from flows.visibility import VIEW_RIGHTS
from participants.dialogs import form_dialog, go
from participants.flow_page import visible_flow
from reporting.forms import SavedViewForm


@require_http_methods(["GET", "POST"])
@needs(*VIEW_RIGHTS)
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Ask for a name, and keep what the flow list's address says."""
    text = "Filter, search, folder, columns, groups and order are kept under a name."
    return _new(request, place=FLOWS, home=turl(request.tenant, "reporting:flows"), text=text)


@require_http_methods(["GET", "POST"])
@needs(*VIEW_RIGHTS)
def new_of_participants(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """The same for the participants of a flow."""
    flow = visible_flow(request.member, flow_id)
    text = "Filter, search, columns, groups and order are kept under a name. "
    text += (
        "It names a step, so it is kept for this flow."
        if "step" in request.GET
        else "It is there for the participants of every flow."
    )
    home = turl(request.tenant, "participants:participants", flow.pk)
    return _new(request, place=PARTICIPANTS, home=home, text=text, flow_id=flow.pk)


def _new(
    request: TenantRequest, *, place: str, home: str, text: str, flow_id: int | None = None
) -> HttpResponse:
    query = kept_query(request.GET, place)
    here = f"{home}?{query}"
    form = SavedViewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            view = save_view(
                name=form.cleaned_data["name"],
                query=query,
                shared=form.cleaned_data["shared"],
                actor=request.user,
                now=tenant_now(request.tenant.pk),
                place=place,
                flow_id=flow_id,
            )
        except ViewRefused as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, f"View {view.name} saved.")
            return go(request, here)
    return form_dialog(request, title="Save this view", form=form, verb="Save view", back=here, text=text)


@require_POST
@needs(*VIEW_RIGHTS)
def delete(request: TenantRequest, tenant: str, view_id: int) -> HttpResponse:
    """Delete a view of the flow list."""
    return _delete(request, view_id, place=FLOWS, home=turl(request.tenant, "reporting:flows"))


@require_POST
@needs(*VIEW_RIGHTS)
def delete_of_participants(request: TenantRequest, tenant: str, flow_id: int, view_id: int) -> HttpResponse:
    """Delete a view of participants."""
    flow = visible_flow(request.member, flow_id)
    home = turl(request.tenant, "participants:participants", flow.pk)
    return _delete(request, view_id, place=PARTICIPANTS, home=home)


def _delete(request: TenantRequest, view_id: int, *, place: str, home: str) -> HttpResponse:
    try:
        name = delete_view(view_id=view_id, member=request.member, place=place)
    except SavedView.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"View {name} deleted.")
    return redirect(home)
