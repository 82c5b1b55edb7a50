"""Turns the outcome that a step kind returned into what happens to the participant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from crm.events import NewEvent, Origin
from flows.document import StepNode
from flows.steps.base import Advance, Exit, Fail, Hold, Outcome, Retry, Skip, WaitUntil
from participants.engine import ending
from participants.engine.moving import Moving
from participants.engine.records import HERE, LEFT, WENT_ON, VisitRow
from participants.engine.route import ExitPlace, Place

if TYPE_CHECKING:
    from participants.engine.batch import Batch

SKIPPED = "skipped"


def visit(
    batch: Batch,
    mover: Moving,
    *,
    ended: str,
    how: str = "",
    branch: UUID | None = None,
    values: Mapping[str, Any] | None = None,
    message_id: int | None = None,
) -> None:
    """Keep the visit that a participant is on; nothing for one who is before the first step."""
    if mover.step_id is not None:
        row = VisitRow(
            mover, mover.visit_number, mover.step_id, mover.came_at, mover.fresh, ended, how, branch, values
        )
        row.message_id = message_id
        batch.records.keep(row)
        mover.fresh = False


def proceed(batch: Batch, mover: Moving, place: Place, **seen: Any) -> None:
    """End the visit and bring the participant to the next place; *Exit flow* is a drop-out from where it stands."""
    if isinstance(place, ExitPlace):
        values = seen.get("values")
        ending.drop(
            batch, mover, reason="no_branch", values=values, then=place.exit, branch=seen.get("branch")
        )
        return
    visit(batch, mover, ended=WENT_ON, **seen)
    mover.waiting = False
    batch.arrive(mover, place)


def skip(
    batch: Batch, mover: Moving, node: StepNode, *, reason: str, values: Mapping[str, Any] | None
) -> None:
    """Nothing is done here, with the reason; on to the next place at once."""
    proceed(
        batch, mover, batch.route.after(node.id), how=SKIPPED, values={"reason": reason, **(values or {})}
    )


def stay(batch: Batch, mover: Moving, **seen: Any) -> None:
    """Keep the visit open."""
    visit(batch, mover, ended=HERE, **seen)


def apply(batch: Batch, node: StepNode, mover: Moving, outcome: Outcome, *, message_id: int | None) -> None:
    """Do what the outcome says. Exactly one visit is kept, ended or open."""
    if message_id is not None:
        mover.last_message_id = message_id
    match outcome:
        case Advance(branch=branch, how=how, values=values):
            place = batch.route.after(node.id, branch)
            proceed(batch, mover, place, how=how, branch=branch, values=values, message_id=message_id)
        case Skip(reason=reason, values=values):
            skip(batch, mover, node, reason=reason, values=values)
        case WaitUntil(at=at, values=values):
            if at <= batch.now:
                proceed(batch, mover, batch.route.after(node.id), values=values)
            else:
                mover.park(due_at=at, until=at, waiting=True)
                stay(batch, mover, values=values)
        case Hold(until=until, reason=reason):
            mover.park(due_at=until, until=until, waiting=False, held=reason)
            stay(batch, mover)
        case Retry(at=at, error=error):
            mover.attempts += 1
            mover.park(due_at=at, until=None, waiting=False, held=error)
            stay(batch, mover)
        case Exit(reason=reason, values=values, exit=exit_settings):
            ending.drop(batch, mover, reason=reason, values=values, then=exit_settings)
        case Fail(error=error):
            ending.drop(batch, mover, reason="step_failed", values={"error": error})


def left(
    batch: Batch, mover: Moving, *, how: str, branch: UUID | None, values: Mapping[str, Any] | None
) -> None:
    """End the visit by leaving the flow."""
    visit(batch, mover, ended=LEFT, how=how, branch=branch, values=values)


def caused(batch: Batch) -> list[NewEvent]:
    """Return the events that the step kinds of this batch caused."""
    return [
        NewEvent(
            kind=row.kind,
            contact_id=row.contact_id,
            at=batch.now,
            origin=Origin.FLOW,
            company_id=row.company_id,
            object_id=row.object_id,
            object_key=row.object_key,
            data=dict(row.data),
            flow_id=batch.flow.pk,
            participant_id=row.participant_id,
        )
        for row in batch.ctx.events
    ]
