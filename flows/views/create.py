"""New flow: a name, a place, and a blank canvas or a template."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from flows.models import Flow, FlowFolder
from flows.operations.bring_in import CannotBringIn
from flows.operations.create import create_flow
from flows.operations.from_template import start_from_template
from flows.panels.choices import folder_choices
from flows.starters.table import TEMPLATES
from flows.steps.forms import choose, to_number

admin = needs(Right.FLOW_ADMINISTRATOR)


class NewFlowForm(forms.Form):
    """What a new flow needs: a name, unless a template brings one."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        required=False,
        help_text="A template brings one of its own.",
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    folder = forms.TypedChoiceField(label="Folder", required=False, coerce=to_number, empty_value=None)
    template = forms.ChoiceField(
        label="Begin with",
        required=False,
        choices=[("", "Blank"), *((template.name, template.label) for template in TEMPLATES)],
    )

    def __init__(self, data: QueryDict | None = None, *, folder: str = "", template: str = "") -> None:
        super().__init__(data, initial={"folder": folder, "template": template})
        choose(self, "folder", folder_choices())

    def clean(self) -> dict[str, Any]:
        """A blank flow has no name of its own."""
        cleaned = super().clean() or {}
        chosen = cleaned.get("template")
        if not cleaned.get("name") and "name" not in self.errors:
            if not chosen:
                self.add_error("name", "Give the flow a name.")
            else:
                cleaned["name"] = TEMPLATES[chosen].label
        return cleaned


@require_http_methods(["GET", "POST"])
@admin
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Ask for a name and what to begin with, make the flow, open the designer."""
    form = NewFlowForm(
        request.POST if request.method == "POST" else None,
        folder=request.GET.get("folder", ""),
        template=request.GET.get("template", ""),
    )
    if form.is_valid():
        try:
            flow = _made(request, form.cleaned_data)
        except CannotBringIn as refused:
            form.add_error(None, str(refused))
        else:
            return redirect(turl(request.tenant, "flows:edit", flow.pk))
    context = {"form": form, "templates": list(TEMPLATES), "chosen": form["template"].value() or ""}
    return render(request, "flows/new.html", context, status=422 if form.is_bound else 200)


def _made(request: TenantRequest, wanted: dict[str, Any]) -> Flow:
    number = wanted["folder"]
    now = tenant_now(request.tenant.pk)
    folder = FlowFolder.objects.filter(pk=number).first() if number else None
    if wanted["template"]:
        return start_from_template(
            template=TEMPLATES[wanted["template"]],
            name=wanted["name"],
            member=request.member,
            timezone=request.tenant.timezone,
            now=now,
            folder=folder,
        ).flow
    return create_flow(
        name=wanted["name"], owner=request.user, now=now, timezone=request.tenant.timezone, folder=folder
    )
