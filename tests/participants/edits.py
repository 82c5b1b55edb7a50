"""Arranging edits of a flow: pause, change, save, run; and what the review would have said."""

from __future__ import annotations

from typing import Any

from flows.document import FlowDocument, StepNode
from flows.editing import steps
from flows.effects import review_of
from flows.models import Flow, FlowRevision
from flows.operations import drafts
from flows.operations.save import save_draft
from tests.participants.conftest import World


def document(flow: Flow) -> FlowDocument:
    flow.refresh_from_db()
    return drafts.draft_of(flow)


def edit(world: World, flow: Flow, new: FlowDocument, *, retime: Any = ()) -> FlowRevision:
    """Pause, make a document the draft, save it, and let the flow run again."""
    Flow.objects.filter(pk=flow.pk).update(status="paused")
    flow.refresh_from_db()
    changed = drafts.apply(
        flow_id=flow.pk,
        base_version=flow.draft_version,
        change=lambda _: new,
        label="edit",
        actor=world.user,
        now=world.now,
    )
    revision = save_draft(
        flow_id=flow.pk, base_version=changed.draft_version, actor=world.user, now=world.now, retime=retime
    )
    Flow.objects.filter(pk=flow.pk).update(status="running")
    return revision


def with_step(flow: Flow, node: StepNode, **settings: Any) -> FlowDocument:
    return steps.update(document(flow), step_id=node.id, title=node.title, note="", settings=settings)


def told(flow: Flow, new: FlowDocument) -> list[tuple[str, str, int, int]]:
    review = review_of(flow, new)
    return [(e.fate.value, e.title, e.people, e.may_retime) for e in review.effects] if review else []
