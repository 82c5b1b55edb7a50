"""Save, start and pause from the designer; ending and deleting live where participants are known."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from flows.editing.tree import IllegalEdit
from flows.operations import lifecycle
from flows.operations.drafts import DraftConflict, NotEditable
from flows.operations.save import save_draft
from flows.views.answers import answer, conflict, designer_of, over, refusal
from flows.views.designer import base_version

admin = needs(Right.FLOW_ADMINISTRATOR)


@require_POST
@admin
def save(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """The draft becomes a revision."""
    designer = designer_of(request, flow_id, part=request.POST.get("part", ""))
    try:
        revision = save_draft(
            flow_id=flow_id, base_version=base_version(request), actor=request.user, now=designer.now
        )
    except DraftConflict as error:
        return conflict(request, error)
    except (IllegalEdit, NotEditable) as error:
        return refusal(request, str(error))
    designer.flow.refresh_from_db()
    said = f"Saved as revision {revision.number}."
    return answer(request, over(request, designer.flow, part=designer.part, said=said))


@require_POST
@admin
def start(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Save and start, or resume; everything that stands in the way is listed."""
    designer = designer_of(request, flow_id, part=request.POST.get("part", ""))
    try:
        flow = lifecycle.save_and_start(
            flow_id=flow_id, base_version=base_version(request), actor=request.user, now=designer.now
        )
    except DraftConflict as error:
        return conflict(request, error)
    except lifecycle.NotReady as error:
        said = f"{error} They are listed in the panel."
        return answer(request, over(request, designer.flow, part="problems", said=said))
    except (IllegalEdit, lifecycle.WrongStatus) as error:
        return refusal(request, str(error))
    return answer(request, over(request, flow, part="", said="The flow is running."))


@require_POST
@admin
def pause(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Let nobody move; the flow can be edited then."""
    designer = designer_of(request, flow_id, part=request.POST.get("part", ""))
    try:
        flow = lifecycle.pause(flow_id=flow_id, actor=request.user, now=designer.now)
    except lifecycle.WrongStatus as error:
        return refusal(request, str(error))
    return answer(
        request, over(request, flow, part="", said="The flow is paused: nobody moves until you resume.")
    )
