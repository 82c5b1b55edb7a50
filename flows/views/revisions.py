"""Revisions: look at one, compare two (or one with the draft), bring one back."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from accounts.urls_for import turl
from flows.canvas import canvas_of
from flows.comparing.compare import compare
from flows.comparing.words import told
from flows.designer import Designer
from flows.document import FlowDocument
from flows.editing.tree import IllegalEdit
from flows.operations.consent import taken_out
from flows.operations.drafts import DraftConflict, NotEditable, draft_of
from flows.operations.revisions import restore_revision
from flows.queries import NeverSaved, revision_document, revisions_of
from flows.views.answers import designer_of
from flows.views.designer import base_version

admin = needs(Right.FLOW_ADMINISTRATOR)
DRAFT = "draft"


@require_GET
@admin
def revision(request: TenantRequest, tenant: str, flow_id: int, number: int) -> HttpResponse:
    """One saved revision, to look at."""
    designer = designer_of(request, flow_id)
    row = get_object_or_404(revisions_of(designer.flow), number=number)
    canvas = canvas_of(revision_document(flow_id, number))
    context = {"flow": designer.flow, "designer": designer, "revision": row, "canvas": canvas}
    return render(request, "flows/designer/revision.html", context)


@require_GET
@admin
def compared(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """What differs between two revisions, or between one and the draft."""
    designer = designer_of(request, flow_id)
    rows = list(revisions_of(designer.flow))
    if not rows:
        raise Http404
    choices = [(DRAFT, "The draft"), *((str(row.number), f"Revision {row.number}") for row in rows)]
    before = _chosen(request.GET.get("from", ""), choices, str(rows[0].number))
    after = _chosen(request.GET.get("to", ""), choices, DRAFT)
    old, new = _document(designer, before), _document(designer, after)
    context = {
        "flow": designer.flow,
        "designer": designer,
        "choices": choices,
        "before": before,
        "after": after,
        "before_row": next((row for row in rows if str(row.number) == before), None),
        "after_row": next((row for row in rows if str(row.number) == after), None),
        "differences": told(compare(old, new), old, new),
    }
    return render(request, "flows/designer/compare.html", context)


def _chosen(asked: str, choices: list[tuple[str, str]], otherwise: str) -> str:
    return asked if asked in dict(choices) else otherwise


def _document(designer: Designer, chosen: str) -> FlowDocument:
    return designer.document if chosen == DRAFT else revision_document(designer.flow.pk, int(chosen))


@require_POST
@admin
def restore(request: TenantRequest, tenant: str, flow_id: int, number: int) -> HttpResponse:
    """Bring a revision back as the draft; the page asked before where the draft had unsaved changes."""
    designer = designer_of(request, flow_id)
    try:
        flow = restore_revision(
            flow_id=flow_id,
            number=number,
            base_version=base_version(request),
            actor=request.user,
            now=designer.now,
        )
    except NeverSaved:
        raise Http404 from None
    except DraftConflict as error:
        messages.warning(request, f"{error} Look at the draft before you bring a revision back.")
    except (IllegalEdit, NotEditable) as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"Revision {number} is the draft now. Undo takes it back.")
        what = f"Revision {number}"
        if note := taken_out(revision_document(flow_id, number), draft_of(flow), what=what):
            messages.warning(request, note)
    return redirect(turl(request.tenant, "flows:edit", flow_id))
