"""Saved views of the flow list: keep what is shown under a name, delete. Shells around flows.operations.saved_views."""

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
from flows.operations.saved_views import ViewRefused, delete_view, kept_query, save_view
from flows.visibility import VIEW_RIGHTS
from participants.dialogs import form_dialog, go
from reporting.forms import SavedViewForm


@require_http_methods(["GET", "POST"])
@needs(*VIEW_RIGHTS)
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Ask for a name, and keep what the address says."""
    query = kept_query(request.GET)
    here = f"{turl(request.tenant, 'reporting:flows')}?{query}"
    form = SavedViewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            view = save_view(
                name=form.cleaned_data["name"],
                query=query,
                shared=form.cleaned_data["shared"],
                actor=request.user,
                now=tenant_now(request.tenant.pk),
            )
        except ViewRefused as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, f"View {view.name} saved.")
            return go(request, here)
    return form_dialog(
        request,
        title="Save this view",
        form=form,
        verb="Save view",
        back=here,
        text="Filter, search, folder, columns, groups and order are kept under a name.",
    )


@require_POST
@needs(*VIEW_RIGHTS)
def delete(request: TenantRequest, tenant: str, view_id: int) -> HttpResponse:
    """Delete a view."""
    try:
        name = delete_view(view_id=view_id, member=request.member)
    except SavedView.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"View {name} deleted.")
    return redirect(turl(request.tenant, "reporting:flows"))
