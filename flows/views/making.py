"""Making something beside a choice of a panel: a small form in a dialog; what is made comes back as a choice."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from flows.making import THINGS, Maker, Refused, as_choice, made_beside
from flows.visibility import visible_flows


@require_http_methods(["GET", "POST"])
@needs(Right.FLOW_ADMINISTRATOR)
def make(request: TenantRequest, tenant: str, flow_id: int, kind: str, name: str) -> HttpResponse:
    """Show the form of a thing; a POST makes it and answers with the choice that it is."""
    flow = get_object_or_404(visible_flows(request.member), pk=flow_id)
    if name not in made_beside(kind) or not THINGS[name].may(request.member):
        raise Http404
    thing = THINGS[name]
    form = thing.form(request.POST if request.method == "POST" else None)
    # The panel behind the dialog has fields of the same names.
    form.auto_id = "make_%s"
    if form.is_bound and form.is_valid():
        try:
            pk = thing.make(form.cleaned_data, Maker(request.member, tenant_now(request.tenant.pk), kind))
        except Refused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            title = " ".join(form.cleaned_data["name"].split())
            value, label = as_choice(kind, thing, pk, flow.pk, title)
            url = turl(request.tenant, thing.page, pk) if thing.page else ""
            made = {"value": value, "label": label, "title": title, "url": url}
            return render(request, "flows/panel/made.html", made)
    context = {"flow": flow, "kind": kind, "thing": thing, "form": form}
    return render(request, "flows/panel/making.html", context, status=422 if form.is_bound else 200)
