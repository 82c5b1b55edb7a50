"""The designer: its page, its panel, and what changes the draft. Each view calls one operation."""

from __future__ import annotations

import uuid
from collections.abc import Set
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import User
from accounts.queries import tenant_now
from accounts.rights import Right
from content.operations.emails import create_email
from content.starters import STARTERS
from flows.designer import Designer
from flows.document import FlowDocument
from flows.editing.steps import update
from flows.editing.tree import IllegalEdit, find_step
from flows.models import Flow, FlowFolder
from flows.operations import drafts
from flows.operations.consent import taken_out
from flows.operations.details import update_details
from flows.operations.folding import around, foldable, folded_parts, keep_folded
from flows.operations.opened import note_opened
from flows.panels.look import families
from flows.panels.settings import DetailsPanel
from flows.panels.table import panel_for
from flows.views.answers import (
    answer,
    conflict,
    designer_of,
    over,
    panel_answer,
    panel_context,
    panel_of,
    refusal,
    refused,
    typed_conflict,
)
from flows.views.copying import PLANS, to_clipboard
from flows.views.ops import OPS, Ask, Plan

admin = needs(Right.FLOW_ADMINISTRATOR)


@require_GET
@admin
def edit(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """The designer's page."""
    designer = designer_of(request, flow_id, part=request.GET.get("part", ""))
    designer.field = request.GET.get("field", "")[:100]
    note_opened(flow_id=flow_id, user=request.user, now=tenant_now(request.tenant.pk))
    context = {**panel_context(panel_of(designer)), "families": families()}
    return render(request, "flows/designer/page.html", context)


@require_GET
@admin
def panel(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """One panel."""
    designer = designer_of(request, flow_id, part=request.GET.get("part", ""))
    return panel_answer(request, panel_of(designer))


@require_POST
@admin
def apply(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Apply a panel's form; an error comes back at its field with what was typed."""
    part = request.POST.get("part", "")
    designer = designer_of(request, flow_id, part=part)
    try:
        shown = panel_for(designer, part)
        form: Any = shown.form(request.POST)
    except Http404:
        if base_version(request) == designer.flow.draft_version:
            raise
        return typed_conflict(request, drafts.conflict_of(designer.flow), designer, gone=True)
    if form is None:
        raise Http404
    if "redraw" in request.POST or "more" in request.POST or "drop" in request.POST:
        return panel_answer(request, shown, form)
    is_valid = form.is_valid()
    lost = shown.loses(form) if is_valid and "lose" not in request.POST else ()
    if not is_valid or lost:
        return panel_answer(request, shown, form, status=422, lost=lost)
    if isinstance(shown, DetailsPanel):
        if request.POST.get("seen", designer.print) != designer.print:
            error = drafts.DraftConflict("Somebody else", "its settings", designer.flow.draft_version)
            return typed_conflict(request, error, designer, gone=False)
        return _details(request, designer.flow, form)
    plan = Plan(shown.change(form), shown.label(form), "Applied.", request.POST.get("next", part))
    return _do(request, designer.flow, plan, typed=designer)


def _details(request: TenantRequest, flow: Flow, form: Any) -> HttpResponse:
    given = form.cleaned_data
    folder = FlowFolder.objects.filter(pk=given["folder"]).first() if given["folder"] else None
    changed = update_details(
        flow=flow,
        actor=request.user,
        now=designer_of(request, flow.pk).now,
        name=given["name"],
        description=given["description"],
        folder=folder,
        owner=User.objects.get(pk=given["owner"]),
        visibility=given["visibility"],
        user_ids=[int(number) for number in given["users"]],
        auth_group_ids=[int(number) for number in given["groups"]],
    )
    return answer(
        request, over(request, changed, part=request.POST.get("next", "details"), said="Settings saved.")
    )


@require_POST
@admin
def fold(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Fold a split or branch for whoever asks, unfold it (`fold`), or unfold all around a part (`reveal`); with `keep`
    the open panel stays as it is, with what was typed."""
    designer = designer_of(request, flow_id, part=request.POST.get("part", ""))
    ask = Ask(request.POST, designer.document, flow_id)
    folded = folded_parts(flow_id=flow_id, user=request.user)
    try:
        if request.POST.get("reveal"):
            folded -= _around(designer.document, ask.id("reveal"))
        else:
            folded ^= {foldable(designer.document, ask.id("fold"))}
    except IllegalEdit as error:
        return refusal(request, str(error))
    keep_folded(
        flow_id=flow_id, user=request.user, folded=folded, document=designer.document, now=designer.now
    )
    return answer(request, designer, keeps_panel="keep" in request.POST)


def _around(document: FlowDocument, part: uuid.UUID) -> Set[uuid.UUID]:
    """Nothing hides what is gone: comments of a removed step are looked at too."""
    try:
        return around(document, part)
    except IllegalEdit:
        return frozenset()


@require_POST
@admin
def op(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """One operation by name: insert, move, remove, …"""
    designer = designer_of(request, flow_id, part=request.POST.get("part", ""))
    name = request.POST.get("op", "")
    ask = Ask(request.POST, designer.document, flow_id)
    try:
        if name == "copy":
            return to_clipboard(request, designer, ask)
        if name == "new_email":
            return _new_email(request, designer)
        if name in PLANS:
            return _do(request, designer.flow, PLANS[name](request, designer, ask))
        if name not in OPS:
            raise Http404
        plan = OPS[name](ask)
    except IllegalEdit as error:
        return refusal(request, str(error))
    return _do(request, designer.flow, plan)


def _new_email(request: TenantRequest, designer: Any) -> HttpResponse:
    """Make a draft of an email that is the flow's own, and choose it in the step; whoever likes goes on writing it."""
    node = find_step(designer.document, Ask(request.POST, designer.document, 0).id("step"))
    if node.kind != "send_email":
        raise IllegalEdit("Only a Send email step has an email.")
    starter = STARTERS["letter"]

    def with_email(document: FlowDocument) -> FlowDocument:
        # Made only once the draft is ours: a conflict leaves none behind.
        email = create_email(
            name=node.title,
            actor=request.user,
            now=designer.now,
            mjml=starter.mjml,
            subject=starter.subject,
            flow_id=designer.flow.pk,
        )
        settings = {**node.settings, "email": email.pk}
        return update(document, step_id=node.id, title=node.title, note=node.note, settings=settings)

    said = f"A draft of the email “{node.title}” was made and chosen. Open it to write it."
    return _do(
        request, designer.flow, Plan(with_email, f"new email for “{node.title}”", said, f"step:{node.id}")
    )


def _do(request: TenantRequest, flow: Flow, plan: Plan, *, typed: Designer | None = None) -> HttpResponse:
    """Change the draft by a plan. `typed`: it comes from this designer's panel, where a refusal is told then."""
    part = request.POST.get("part", "") if plan.part is None else plan.part
    try:
        changed = drafts.apply(
            flow_id=flow.pk,
            base_version=base_version(request),
            change=plan.change,
            label=plan.label,
            actor=request.user,
            now=over(request, flow).now,
            moves=plan.moves,
        )
    except drafts.DraftConflict as error:
        return typed_conflict(request, error, typed, gone=False) if typed else conflict(request, error)
    except (IllegalEdit, drafts.NotEditable) as error:
        return refused(request, error, flow.pk)
    # Applied as it was: the draft is what it was before.
    said = "Nothing was changed." if typed and changed.draft_version == base_version(request) else plan.said
    shown = over(request, changed, part=part, said=said, focus=plan.focus)
    shown.chosen = plan.chooses
    return answer(request, shown)


def base_version(request: TenantRequest) -> int:
    """Return the version that the editor saw; one that is none conflicts with everything."""
    text = request.POST.get("base_version", "")
    return int(text) if text.isdigit() else -1


@require_POST
@admin
def undo(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Go back one state."""
    return _walk(request, flow_id, drafts.undo, "Undone.")


@require_POST
@admin
def redo(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Go forward one state again."""
    return _walk(request, flow_id, drafts.redo, "Redone.")


def _walk(request: TenantRequest, flow_id: int, operation: Any, said: str) -> HttpResponse:
    designer = designer_of(request, flow_id, part=request.POST.get("part", ""))
    try:
        flow = operation(
            flow_id=flow_id, base_version=base_version(request), actor=request.user, now=designer.now
        )
    except drafts.DraftConflict as error:
        return conflict(request, error)
    except (IllegalEdit, drafts.NotEditable, drafts.NothingThere, drafts.NotYours) as error:
        return refused(request, error, flow_id)
    shown = over(request, flow, part=designer.part, said=said)
    shown.warning = taken_out(drafts.state_of(flow), drafts.draft_of(flow), what="That state of the flow")
    return answer(request, shown)
