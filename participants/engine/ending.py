"""Leaving the flow: finish, success, drop-out; then the selection and the onward flow.

A participant first gets its final status, then is added to the selection, then suggested onward. Other flows'
participants are never written here: the suggestion leaves as an event that intake takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from crm.bulk import add_to_selection
from crm.events import NewEvent, Origin
from delivery.queue import STILL_OPEN, withdrawn
from flows.document import ExitSettings
from participants.engine import outcomes
from participants.engine.moving import DROPPED, FINISHED, SUCCESS, Moving
from participants.engine.records import Values

if TYPE_CHECKING:
    from participants.engine.batch import Batch

FLOW_EVENT = {FINISHED: "flow.finished", SUCCESS: "flow.finished", DROPPED: "flow.dropped"}
ONWARD = "flow.onward"
Movers = Sequence[Moving]


def finish(batch: Batch, movers: Movers) -> None:
    """Bring everyone to Finish: with success where the mark is there."""
    for mover in movers:
        mover.step_id = None
    succeeded = [mover for mover in movers if mover.success_at is not None]
    others = [mover for mover in movers if mover.success_at is None]
    ends = batch.route.document.finish
    _end(batch, succeeded, status=SUCCESS, then=ends.success)
    _end(batch, others, status=FINISHED, then=ends.no_success)


def move_to_finish(batch: Batch, movers: Movers) -> None:
    """Finish with success at once, wherever they stand; their queued messages are cancelled. The visit keeps when the
    criterion was met, in the flow's timezone."""
    zone = batch.route.document.settings.zone
    seen: dict[object, Values] = {}
    for mover in movers:
        if mover.success_at is not None and mover.success_at not in seen:
            met = mover.success_at.astimezone(zone).isoformat(timespec="minutes")
            seen[mover.success_at] = {"success_at": met}
    outcomes.leave(batch, movers, how=SUCCESS, values=[seen.get(mover.success_at) for mover in movers])
    for mover in movers:
        mover.step_id = None
    _end(batch, movers, status=SUCCESS, then=batch.route.document.finish.success)
    batch.silenced += [mover for mover in movers if mover.last_message_id is not None]


def drop(
    batch: Batch,
    movers: Movers,
    *,
    reason: str,
    values: Sequence[Values] | Values = None,
    then: ExitSettings | None = None,
    branch: UUID | None = None,
) -> None:
    """Drop out with a reason of the closed list and the values seen: one for each, or one for all."""
    if not movers:
        return
    outcomes.leave(batch, movers, how=reason, branch=branch, values=values)
    _end(batch, movers, status=DROPPED, reason=reason, values=values, then=then)
    batch.silenced += [mover for mover in movers if mover.last_message_id is not None]


def _end(
    batch: Batch,
    movers: Movers,
    *,
    status: str,
    reason: str = "",
    values: Sequence[Values] | Values = None,
    then: ExitSettings | None = None,
) -> None:
    if not movers:
        return
    key = reason or ("success" if status == SUCCESS else "")
    shared = values is None or isinstance(values, Mapping)
    for index, mover in enumerate(movers):
        seen = values if shared else values[index]  # type: ignore[index]
        mover.end(status=status, at=batch.now, reason=reason, values=seen)  # type: ignore[arg-type]
        batch.records.events.append(
            _event(batch, mover, FLOW_EVENT[status], object_id=batch.flow.pk, key=key)
        )
    batch.records.counts[None, f"dropped:{reason}" if reason else status] += len(movers)
    if then is not None and (then.selection or then.flow):
        batch.exits += [(mover, then) for mover in movers]


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


def silence(batch: Batch) -> None:
    """Withdraw the messages of who dropped out or was moved to Finish; an ordinary finish lets them go."""
    if batch.silenced:
        batch.cursor.execute(
            f"""
            UPDATE delivery_message m SET {withdrawn("'left_flow'")}
            FROM unnest(%s::date[], %s::bigint[]) AS v(enrolled_on, participant_id)
            WHERE m.tenant_id = %s AND m.enrolled_on = v.enrolled_on AND m.participant_id = v.participant_id
              AND {STILL_OPEN}
            """,
            [[m.enrolled_on for m in batch.silenced], [m.id for m in batch.silenced], batch.tenant.pk],
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
