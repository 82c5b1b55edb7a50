"""Leaving the flow: finish, success, drop-out; then the selection and the onward flow.

A participant first gets its final status, then is added to the selection, then suggested onward. Other flows'
participants are never written here: the suggestion leaves as an event that intake takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from crm.bulk import add_to_selection
from crm.events import NewEvent, Origin
from flows.document import ExitSettings
from participants.engine import outcomes
from participants.engine.moving import DROPPED, FINISHED, SUCCESS, Moving

if TYPE_CHECKING:
    from participants.engine.batch import Batch

FLOW_EVENT = {FINISHED: "flow.finished", SUCCESS: "flow.finished", DROPPED: "flow.dropped"}
ONWARD = "flow.onward"


def finish(batch: Batch, mover: Moving) -> None:
    """Bring someone to Finish: with success where the mark is there."""
    status = SUCCESS if mover.success_at is not None else FINISHED
    mover.step_id = None
    _end(batch, mover, status=status)


def move_to_finish(batch: Batch, mover: Moving) -> None:
    """Finish with success at once, wherever it stands."""
    outcomes.left(batch, mover, how=SUCCESS, branch=None, values=None)
    mover.step_id = None
    _end(batch, mover, status=SUCCESS)


def drop(
    batch: Batch,
    mover: Moving,
    *,
    reason: str,
    values: Mapping[str, Any] | None,
    then: ExitSettings | None = None,
    branch: UUID | None = None,
) -> None:
    """Drop out with a reason of the closed list and the values seen."""
    outcomes.left(batch, mover, how=reason, branch=branch, values=values)
    _end(batch, mover, status=DROPPED, reason=reason, values=values, then=then)


def _end(
    batch: Batch,
    mover: Moving,
    *,
    status: str,
    reason: str = "",
    values: Mapping[str, Any] | None = None,
    then: ExitSettings | None = None,
) -> None:
    mover.end(status=status, at=batch.now, reason=reason, values=values)
    batch.ended.append(mover)
    batch.records.counts[None, f"dropped:{reason}" if reason else status] += 1
    key = reason or ("success" if status == SUCCESS else "")
    batch.records.events.append(_event(batch, mover, FLOW_EVENT[status], object_id=batch.flow.pk, key=key))
    if then is None and status != DROPPED:
        ends = batch.route.document.finish
        then = ends.success if status == SUCCESS else ends.no_success
    if then is not None and (then.selection or then.flow):
        batch.exits.append((mover, then))


def _event(batch: Batch, mover: Moving, kind: str, *, object_id: int, key: str = "") -> NewEvent:
    return NewEvent(
        kind=kind,
        contact_id=mover.contact_id,
        at=batch.now,
        origin=Origin.FLOW,
        object_id=object_id,
        object_key=key,
        flow_id=batch.flow.pk,
        participant_id=mover.id,
    )


def pass_on(batch: Batch) -> None:
    """Add those who left to the selections of their exits and suggest them onward; one statement a selection."""
    by_selection: dict[int, list[int]] = defaultdict(list)
    for mover, exit_settings in batch.exits:
        if exit_settings.selection:
            by_selection[exit_settings.selection].append(mover.contact_id)
        if exit_settings.flow:
            batch.records.events.append(_event(batch, mover, ONWARD, object_id=exit_settings.flow))
    for selection_id in sorted(by_selection):
        add_to_selection(
            batch.cursor,
            tenant_id=batch.tenant.pk,
            selection_id=selection_id,
            contact_ids=by_selection[selection_id],
            now=batch.now,
            origin=Origin.FLOW,
            flow_id=batch.flow.pk,
        )
