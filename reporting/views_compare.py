"""Comparing flows, and moving several into a folder: what is done with the chosen rows of the list."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from accounts.urls_for import turl
from flows.models import FlowFolder
from flows.operations.folders import move_flows
from flows.visibility import VIEW_RIGHTS, visible_flows
from participants.asked import number
from reporting.comparing import MOST, compared

MOST_OFFERED = 500


def _ids(values: list[str]) -> list[int]:
    return [found for value in values if (found := number(value)) is not None]


@require_GET
@needs(*VIEW_RIGHTS)
def compare(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show flows beside each other, and offer another one."""
    found = compared(member=request.member, flow_ids=_ids(request.GET.getlist("ids")))
    shown = [flow.pk for flow in found.flows]
    others = visible_flows(request.member).exclude(pk__in=shown).order_by("name", "pk")
    context = {
        "compared": found,
        "most": MOST,
        "others": others.values_list("pk", "name")[:MOST_OFFERED] if len(shown) < MOST else [],
        "shown": shown,
    }
    return render(request, "reporting/compare.html", context)


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def move_several(request: TenantRequest, tenant: str) -> HttpResponse:
    """Put the chosen flows into a folder, or at the top. Flows that the member does not see are left alone."""
    back = turl(request.tenant, "reporting:flows")
    ids = list(
        visible_flows(request.member)
        .filter(pk__in=_ids(request.POST.getlist("ids")))
        .values_list("pk", flat=True)
    )
    chosen = request.POST.get("folder", "")
    if not ids or not chosen:
        messages.error(request, "Choose flows and a folder.")
        return redirect(f"{back}?view=list")
    folder = FlowFolder.objects.filter(pk=number(chosen) or 0).first()
    if folder is None and chosen != "top":
        messages.error(request, "That folder is gone.")
        return redirect(f"{back}?view=list")
    moved = move_flows(flow_ids=ids, folder_id=folder.pk if folder else None)
    what = "1 flow is" if moved == 1 else f"{moved} flows are"
    messages.success(request, f"{what} now in {folder.name if folder else 'no folder'}.")
    return redirect(f"{back}?view=list&folder={folder.pk}" if folder else f"{back}?view=list")
