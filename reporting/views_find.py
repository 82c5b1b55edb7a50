"""Finding a step of the read-only canvas, at the side."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from flows.canvas import canvas_of
from flows.checking import check_context
from flows.finding import find
from participants.flow_page import flow_page
from reporting.flow_summary import document_of

MOST_WORDS = 100


@require_GET
@needs(Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)
def find_steps(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """List the steps and branches that hold the words, or all of them without words."""
    page = flow_page(request, flow_id)
    document = document_of(page.flow)
    words = request.GET.get("q", "")[:MOST_WORDS]
    context = check_context(document)
    found = find(canvas_of(document, ctx=context), document, context, words)
    return render(request, "reporting/panel_find.html", {"page": page, "found": found, "words": words})
