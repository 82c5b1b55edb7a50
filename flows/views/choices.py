"""What a panel's search shows while somebody types: the names of one kind of thing, a few at a time."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from flows.searched import CHOOSABLE
from flows.visibility import visible_flows

MOST_TEXT = 100


@require_GET
@needs(Right.FLOW_ADMINISTRATOR)
def choices(request: TenantRequest, tenant: str, flow_id: int, kind: str) -> HttpResponse:
    """Return the options whose name holds `q`, and whether there are more than are shown."""
    flow = get_object_or_404(visible_flows(request.member), pk=flow_id)
    if kind not in CHOOSABLE:
        raise Http404
    text = request.GET.get("q", "").replace("\x00", "")[:MOST_TEXT]
    found, more = CHOOSABLE[kind].first(flow.pk, text)
    context = {"found": found, "more": more, "noun": CHOOSABLE[kind].noun}
    return render(request, "flows/panel/choices.html", context)
