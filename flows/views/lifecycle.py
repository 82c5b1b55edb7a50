"""Save, start and pause from the designer; ending and deleting live where participants are known."""

from __future__ import annotations

import re
import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from flows.designer import Designer
from flows.editing.tree import IllegalEdit
from flows.effects import review_of
from flows.operations import lifecycle
from flows.operations.drafts import DraftConflict, NotEditable
from flows.operations.save import save_draft
from flows.views.answers import answer, conflict, designer_of, over, refusal, refused
from flows.views.designer import base_version

admin = needs(Right.FLOW_ADMINISTRATOR)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@require_POST
@admin
def save(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """The draft becomes a revision. With people inside, first shows what that does to them."""
    designer = designer_of(request, flow_id, part=request.POST.get("part", ""))
    if (asked := _reviewed(request, designer, "save")) is not None:
        return asked
    try:
        revision = save_draft(
            flow_id=flow_id,
            base_version=base_version(request),
            actor=request.user,
            now=designer.now,
            retime=_retimed(request),
        )
    except DraftConflict as error:
        return conflict(request, error)
    except (IllegalEdit, NotEditable) as error:
        return refused(request, error, flow_id)
    designer.flow.refresh_from_db()
    said = f"Saved as revision {revision.number}."
    return answer(request, over(request, designer.flow, part=designer.part, said=said))


def _reviewed(request: TenantRequest, designer: Designer, action: str) -> HttpResponse | None:
    """Return the question what the save does to whom, where it was not answered yet and there is something to say."""
    stale = base_version(request) != designer.flow.draft_version
    if "reviewed" in request.POST or stale or not designer.editable:
        return None
    review = review_of(designer.flow, designer.document)
    if review is None:
        return None
    context = {"designer": designer, "flow": designer.flow, "review": review, "action": action}
    response = render(request, "flows/designer/review.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#flow-review", "innerHTML"
    return response


def _retimed(request: TenantRequest) -> list[uuid.UUID]:
    """Return the waits that were ticked; what is no id is left out."""
    return [uuid.UUID(text) for text in request.POST.getlist("retime") if UUID.fullmatch(text)]


@require_POST
@admin
def start(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Save and start, or resume; everything that stands in the way is listed. With people inside, first shows what
    the save does to them."""
    designer = designer_of(request, flow_id, part=request.POST.get("part", ""))
    if not designer.errors and (asked := _reviewed(request, designer, "start")) is not None:
        return asked
    try:
        flow = lifecycle.save_and_start(
            flow_id=flow_id,
            base_version=base_version(request),
            actor=request.user,
            now=designer.now,
            retime=_retimed(request),
        )
    except DraftConflict as error:
        return conflict(request, error)
    except lifecycle.NotReady as error:
        said = f"{error} They are listed in the panel."
        return answer(request, over(request, designer.flow, part="problems", said=said))
    except (IllegalEdit, lifecycle.WrongStatus) as error:
        return refused(request, error, flow_id)
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
