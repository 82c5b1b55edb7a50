"""Turns the outcomes that a step kind returned into what happens to the participants, a group at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from crm.events import NewEvent, Origin
from flows.document import StepNode
from flows.steps.base import Advance, Exit, Fail, Hold, Outcome, Outcomes, Retry, Skip, WaitFor, WaitUntil
from flows.steps.table import STEP_KINDS
from participants.engine import ending
from participants.engine.moving import Moving
from participants.engine.records import HERE, LEFT, WENT_ON, Stay, Values
from participants.engine.route import ExitPlace, Place
from participants.success_events import Happened

if TYPE_CHECKING:
    from participants.engine.batch import Batch

SKIPPED = "skipped"
# How the keys begin under which a visit keeps its holds.
HELD = "held_"
Movers = Sequence[Moving]


def keep(
    batch: Batch,
    movers: Movers,
    *,
    ended: str,
    how: str = "",
    branch: UUID | None = None,
    values: Sequence[Values] | Values = None,
    messages: Mapping[int, int] | None = None,
) -> None:
    """Keep the visits that these participants are on at one step: ended one way, or open."""
    split = {fresh: [i for i, mover in enumerate(movers) if mover.fresh is fresh] for fresh in (True, False)}
    for fresh, chosen in split.items():
        if not chosen:
            continue
        these = movers if len(chosen) == len(movers) else [movers[index] for index in chosen]
        if values is not None and not isinstance(values, Mapping):
            seen: Sequence[Values] | Values = [values[index] for index in chosen]
        else:
            seen = values
        step_id = these[0].step_id
        assert step_id is not None  # noqa: S101 - who is before the first step has no visit to keep
        numbers = [mover.visit_number for mover in these]
        batch.records.keep(Stay(these, step_id, fresh, ended, how, branch, seen, messages, numbers))
        for mover in these:
            mover.fresh = False


def proceed(
    batch: Batch,
    movers: Movers,
    place: Place,
    *,
    how: str = "",
    branch: UUID | None = None,
    values: Sequence[Values] | Values = None,
    messages: Mapping[int, int] | None = None,
) -> None:
    """End the visits and bring everyone to the next place; *Exit flow* is a drop-out from where they stand."""
    if isinstance(place, ExitPlace):
        ending.drop(batch, movers, reason="no_branch", values=values, then=place.exit, branch=branch)
        return
    keep(batch, movers, ended=WENT_ON, how=how, branch=branch, values=values, messages=messages)
    batch.arrive(movers, place)


def skip(batch: Batch, movers: Movers, node: StepNode, *, reason: str, values: Sequence[Values]) -> None:
    """Nothing is done here, with the reason; on to the next place at once."""
    seen = [{"reason": reason, **(value or {})} for value in values]
    proceed(batch, movers, batch.route.after(node.id), how=SKIPPED, values=seen)


def apply(batch: Batch, node: StepNode, movers: Movers, result: Outcomes) -> None:
    """Do what the outcomes say, once for each different outcome. Exactly one visit each is kept, ended or open."""
    groups: dict[int, tuple[Outcome, list[Moving]]] = {}
    for mover in movers:
        outcome = result.of(mover.id)
        groups.setdefault(id(outcome), (outcome, []))[1].append(mover)
    for mover in movers if result.messages else ():
        mover.last_message_id = result.messages.get(mover.id, mover.last_message_id)
    batch.messages += len(result.messages)
    for outcome, group in groups.values():
        _apply_one(batch, node, group, outcome, result)


def _with_seen(
    values: Values, movers: Movers, seen: Mapping[int, Mapping[str, Any]]
) -> Sequence[Values] | Values:
    """Return the values of an outcome with what was seen of each; who shares an object keeps sharing one."""
    if not seen:
        return values
    made: dict[int, Values] = {}
    found: list[Values] = []
    for mover in movers:
        own = seen.get(mover.id)
        if id(own) not in made:
            made[id(own)] = {**(values or {}), **own} if own else values
        found.append(made[id(own)])
    return found


def _apply_one(batch: Batch, node: StepNode, movers: Movers, outcome: Outcome, result: Outcomes) -> None:
    match outcome:
        case Advance(branch=branch, how=how, values=values):
            place, told = batch.route.after(node.id, branch), _with_seen(values, movers, result.seen)
            proceed(batch, movers, place, how=how, branch=branch, values=told, messages=result.messages)
        case Skip(reason=reason, values=values):
            skip(batch, movers, node, reason=reason, values=[values] * len(movers))
        case WaitUntil(at=at, values=values) if at <= batch.now:
            proceed(batch, movers, batch.route.after(node.id), values=values)
        case Exit(reason=reason, values=values, exit=then, branch=branch):
            told = _with_seen(values, movers, result.seen)
            ending.drop(batch, movers, reason=reason, values=told, then=then, branch=branch)
        case Fail(error=error):
            ending.drop(batch, movers, reason="step_failed", values={"error": error})
        case _:
            _stay(batch, node, movers, outcome)


def _stay(batch: Batch, node: StepNode, movers: Movers, outcome: Outcome) -> None:
    """Keep the visits open until the outcome's moment, or an event that the step listens to."""
    listening = bool(STEP_KINDS[node.kind].listens_to(node))
    values: Values = None
    for mover in movers:
        match outcome:
            case WaitUntil(at=at, values=values):
                mover.wait(until=at, revision=batch.flow.revision, listening=listening)
            case WaitFor(until=until, values=values):
                mover.wait(until=until, revision=batch.flow.revision, listening=True)
            case Hold(until=until, reason=reason):
                mover.park(due_at=until, until=until, held=reason)
            case Retry(at=at, error=error):
                mover.attempts += 1
                mover.park(due_at=at, until=None, held=error)
    match outcome:
        case Hold(until=until, reason=reason, key=key, values=seen):
            values = hold_seen(batch, key, reason=reason, until=until, values=seen)
        case Retry(at=at, error=error):
            values = hold_seen(batch, "retry", reason=error, until=at)
    keep(batch, movers, ended=HERE, values=values)


def hold_seen(
    batch: Batch, key: str, *, reason: str, until: dt.datetime, values: Values = None
) -> dict[str, Any]:
    """Return what a visit keeps of a hold: why, since when and until when (in the flow's timezone), and what was seen.
    The last of each kind stays."""
    zone = batch.route.document.settings.zone
    seen = {"at": batch.now, "until": until}
    told = {name: moment.astimezone(zone).isoformat(timespec="seconds") for name, moment in seen.items()}
    return {f"{HELD}{key}": {**(values or {}), "reason": reason[:300], **told}}


def leave(
    batch: Batch,
    movers: Movers,
    *,
    how: str,
    branch: UUID | None = None,
    values: Sequence[Values] | Values = None,
) -> None:
    """End the visits by leaving the flow."""
    keep(batch, movers, ended=LEFT, how=how, branch=branch, values=values)


def happened(batch: Batch) -> list[Happened]:
    """Return what the steps of this batch caused so far, as success sees it."""
    return [
        Happened(
            None,
            event.kind,
            event.contact_id,
            event.company_id,
            event.origin,
            event.object_id,
            event.object_key,
            event.at,
            event.data,
        )
        for event in caused(batch)
    ]


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
