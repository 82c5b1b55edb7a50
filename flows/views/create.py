"""New flow: a name, a place, and a blank canvas."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from flows.models import FlowFolder
from flows.operations.create import create_flow
from flows.panels.choices import folder_choices
from flows.steps.forms import choose, to_number

admin = needs(Right.FLOW_ADMINISTRATOR)


class NewFlowForm(forms.Form):
    """What a new flow needs: a name."""

    name = forms.CharField(label="Name", max_length=120, widget=forms.TextInput(attrs={"autofocus": True}))
    folder = forms.TypedChoiceField(label="Folder", required=False, coerce=to_number, empty_value=None)

    def __init__(self, data: QueryDict | None = None, *, folder: str = "") -> None:
        super().__init__(data, initial={"folder": folder})
        choose(self, "folder", folder_choices())


@require_http_methods(["GET", "POST"])
@admin
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Ask for a name, make the flow, open the designer."""
    form = NewFlowForm(
        request.POST if request.method == "POST" else None, folder=request.GET.get("folder", "")
    )
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "flows/new.html", {"form": form}, status=status)
    number = form.cleaned_data["folder"]
    flow = create_flow(
        name=form.cleaned_data["name"],
        owner=request.user,
        now=tenant_now(request.tenant.pk),
        timezone=request.tenant.timezone,
        folder=FlowFolder.objects.filter(pk=number).first() if number else None,
    )
    return redirect(turl(request.tenant, "flows:edit", flow.pk))
