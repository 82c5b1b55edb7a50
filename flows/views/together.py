"""Two people at one flow: who else is here, and taking the newest draft without losing what was typed."""

from __future__ import annotations

import json

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from flows.presence import note_present
from flows.together import part_words
from flows.views.answers import answer, designer_of
from flows.views.designer import base_version

admin = needs(Right.FLOW_ADMINISTRATOR)


@require_POST
@admin
def here(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Say that this window is open and at which part; answer who else is, whether the draft moved on, and
    what there is to paste: copied in another window too."""
    designer = designer_of(request, flow_id)
    others = note_present(
        tenant_id=request.tenant.pk,
        flow_id=flow_id,
        window=request.POST.get("window", ""),
        user_id=request.user.pk,
        name=request.user.get_full_name() or request.user.get_username(),
        part=request.POST.get("part", ""),
        gone="gone" in request.POST,
    )
    flow = designer.flow
    moved = base_version(request) != flow.draft_version
    context = {
        "flow": flow,
        "others": [(one, part_words(designer.document, one.part)) for one in others],
        "is_behind": moved or ("editable" in request.POST) != designer.editable,
        "copied": designer.copied,
        "open_comments": json.dumps(designer.comments),
        "by": flow.draft_by.get_full_name() if moved and flow.draft_by else "",
    }
    return render(request, "flows/designer/presence.html", context)


@require_GET
@admin
def newest(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Redraw the newest draft; with `keep` the open panel stays as it is, with what was typed."""
    designer = designer_of(request, flow_id, part=request.GET.get("part", ""))
    designer.said = "This is the newest."
    return answer(request, designer, keeps_panel="keep" in request.GET)
