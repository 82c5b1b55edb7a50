"""The draft of a flow on the server: every accepted edit is a state, undo and redo walk the states.

Two people editing at once: whoever saw an older version is told who changed what; nothing is overwritten.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from flows.document import FlowDocument
from flows.editing.history import StateLine, redoable, undoable
from flows.editing.same import same
from flows.editing.taking_back import take_back
from flows.models import DraftState, Flow
from flows.occupancy import check_change, check_move, step_occupancy
from flows.operations.consent import within_rights
from flows.operations.usage import note_draft_usage
from flows.queries import newest_document

Change = Callable[[FlowDocument], FlowDocument]
KEPT_STATES = 100


class NotEditable(Exception):
    """The flow is running: pause it before changing it."""


class NothingThere(Exception):
    """There is nothing to undo or redo."""


class NotYours(Exception):
    """What would be undone or redone was done by somebody else."""


class DraftConflict(Exception):
    """Somebody changed the draft since the editor saw it."""

    def __init__(self, who: str, what: str, version: int, user_id: int | None = None) -> None:
        super().__init__(f"{who} changed this flow meanwhile ({what}).")
        self.who, self.what, self.version, self.user_id = who, what, version, user_id


@transaction.atomic
def apply(
    *,
    flow_id: int,
    base_version: int,
    change: Change,
    label: str,
    actor: User,
    now: dt.datetime,
    moves: Sequence[uuid.UUID] = (),
) -> Flow:
    """Change the draft by a pure operation; return the flow with its new draft.

    `moves` names steps that change place. Raises DraftConflict, NotEditable, IllegalEdit (PeopleInside among
    them); a change that says the same as before is no new state.
    """
    flow = lock_draft(flow_id, base_version)
    old = draft_of(flow)
    new = change(old)
    if same(old, new):
        return flow
    _check_people(flow, old, new, moves)
    _keep(flow, new, label, actor, now, moves)
    return flow


@transaction.atomic
def undo(*, flow_id: int, base_version: int, actor: User, now: dt.datetime) -> Flow:
    """Go back one state; where somebody else made the newest change, take one's own newest back from under it
    (flows.editing.taking_back). Raises NothingThere at the oldest, NotYours where none is one's own, and what `apply`
    raises: IllegalEdit names what a later change stands in the way of."""
    flow = lock_draft(flow_id, base_version)
    undone = DraftState.objects.select_related("created_by").get(flow=flow, number=flow.draft_state)
    if undone.created_by_id != actor.pk or undone.takes_back is not None:
        return _take_back(flow, undone, actor, now)
    state = DraftState.objects.filter(flow=flow, number__lt=flow.draft_state).order_by("-number").first()
    return _walk(flow, state, undone, "undo", actor, now)


@transaction.atomic
def redo(*, flow_id: int, base_version: int, actor: User, now: dt.datetime) -> Flow:
    """Go forward one state again, or give back what the actor took back last, from under others' later changes too;
    raises as `undo` does."""
    flow = lock_draft(flow_id, base_version)
    states = DraftState.objects.filter(flow=flow).select_related("created_by")
    following = states.filter(number__gt=flow.draft_state).order_by("number").first()
    if following and following.created_by_id == actor.pk:
        return _walk(flow, following, following, "redo", actor, now)
    if following:
        # Somebody else's undone change comes first: those that wait become undos of their own, then ours is found.
        _write_out_undone(flow, now)
    undos = redoable(lines_of(flow), actor.pk)
    if not undos:
        return _walk(flow, following, following, "redo", actor, now)
    newest = states.get(number=flow.draft_state)
    if undos[0] == newest.number:
        before = states.filter(number__lt=newest.number).order_by("-number").first()
        flow = _walk(flow, before, newest, "redo", actor, now)
        newest.delete()
        return flow
    if given := _take_back_first(flow, undos, "gave back", actor, now):
        return given
    raise NothingThere("There is nothing left to undo or redo.")


def lines_of(flow: Flow) -> list[StateLine]:
    """Return the states up to the draft as flows.editing.history wants them. One query."""
    return _lines(DraftState.objects.filter(flow=flow, number__lte=flow.draft_state))


def _lines(states: QuerySet[DraftState]) -> list[StateLine]:
    return [StateLine(*row) for row in states.values_list("number", "created_by_id", "takes_back")]


@dataclass(frozen=True, slots=True)
class Walkable:
    """Whether there is an older state to undo to, and whether the user has something to redo."""

    undo: bool
    redo: bool


def walkable(flow: Flow, user_id: int) -> Walkable:
    """Return which ways the user may walk from the draft. One query, over the states that are kept (KEPT_STATES)."""
    lines = _lines(DraftState.objects.filter(flow=flow))
    done = [line for line in lines if line.number <= flow.draft_state]
    own_undone = any(line.number > flow.draft_state and line.user_id == user_id for line in lines)
    return Walkable(
        undo=any(line.number < flow.draft_state for line in done),
        redo=own_undone or bool(redoable(done, user_id)),
    )


def lock_draft(flow_id: int, base_version: int) -> Flow:
    """Return the flow, locked for this edit; raise NotEditable or DraftConflict."""
    flow = Flow.objects.select_for_update(no_key=True, of=("self",)).get(pk=flow_id, deleted_at=None)
    if flow.status == Flow.Status.RUNNING:
        raise NotEditable("The flow is running: pause it to change it.")
    if flow.draft_version != base_version:
        raise conflict_of(flow)
    return flow


def conflict_of(flow: Flow) -> DraftConflict:
    """Return who changed the draft last, and what, for an editor that saw an older one."""
    who = flow.draft_by.get_full_name() if flow.draft_by else "Somebody"
    return DraftConflict(who, flow.draft_label, flow.draft_version, flow.draft_by_id)


def draft_of(flow: Flow) -> FlowDocument:
    """Return the draft as a document."""
    return FlowDocument.model_validate(flow.draft)


def state_of(flow: Flow) -> FlowDocument:
    """Return the state that the draft was taken from; the draft lacks what its editor may not set (within_rights)."""
    states = DraftState.objects.filter(flow=flow, number=flow.draft_state)
    return FlowDocument.model_validate(states.values_list("document", flat=True).first() or flow.draft)


def _keep(
    flow: Flow,
    document: FlowDocument,
    label: str,
    actor: User,
    now: dt.datetime,
    moves: Sequence[uuid.UUID],
    *,
    takes_back: int | None = None,
) -> None:
    states = DraftState.objects.filter(flow=flow)
    undone = states.filter(number__gt=flow.draft_state)
    by = set(undone.values_list("created_by_id", flat=True))
    if by and takes_back is None and by <= {actor.pk}:
        undone.delete()
    elif by:
        _write_out_undone(flow, now)
    number = flow.draft_state + 1
    flow.draft = document.model_dump(mode="json")
    DraftState.objects.create(
        flow=flow,
        number=number,
        document=flow.draft,
        label=label[:120],
        moves=[str(step) for step in moves],
        takes_back=takes_back,
        created_at=now,
        created_by=actor,
    )
    if number > KEPT_STATES:
        states.filter(number__lte=number - KEPT_STATES).delete()
    _point(flow, number, label, actor, now)
    note_draft_usage(flow, document)


def _write_out_undone(flow: Flow, now: dt.datetime) -> None:
    """Make states that were undone a part of the history, each followed by its undo: whoever undid them can redo them
    when others have gone on from here. The draft stays what it is."""
    states = DraftState.objects.filter(flow=flow)
    undone = list(states.filter(number__gt=flow.draft_state).order_by("-number"))
    if not undone:
        return
    kept = states.filter(number__gte=flow.draft_state).order_by("-number")
    documents = list(kept.values_list("document", flat=True))[1:]
    last = undone[0].number
    DraftState.objects.bulk_create(
        DraftState(
            flow=flow,
            number=last + 1 + at,
            document=document,
            label=f"took back: {state.label}"[:120],
            moves=state.moves,
            takes_back=state.number,
            created_at=now,
            created_by_id=state.created_by_id,
        )
        for at, (state, document) in enumerate(zip(undone, documents, strict=True))
    )
    flow.draft_state = last + len(undone)


def keep_state(flow: Flow, document: FlowDocument, *, label: str, actor: User, now: dt.datetime) -> None:
    """Make a document the draft of a flow whose row the caller holds: a new state, whatever the flow's status."""
    _keep(flow, document, label, actor, now, ())


def _walk(
    flow: Flow,
    state: DraftState | None,
    step: DraftState | None,
    verb: str,
    actor: User,
    now: dt.datetime,
) -> Flow:
    """Go to a state; `step` is the one whose change is taken back, or made again."""
    if state is None or step is None:
        raise NothingThere("There is nothing left to undo or redo.")
    if step.created_by_id != actor.pk:
        raise NotYours(
            f"The {'newest' if verb == 'undo' else 'next'} change is {step.created_by.get_full_name()}'s"
            f" ({step.label}): you {verb} only your own."
        )
    old = draft_of(flow)
    document = within_rights(FlowDocument.model_validate(state.document), actor, now=old)
    there = {node.id for node in old.walk()}
    _check_people(flow, old, document, [one for text in step.moves if (one := uuid.UUID(text)) in there])
    flow.draft = document.model_dump(mode="json")
    _point(flow, state.number, f"{verb}: {step.label}", actor, now)
    note_draft_usage(flow, document)
    return flow


def _take_back(flow: Flow, newest: DraftState, actor: User, now: dt.datetime) -> Flow:
    """Take the actor's newest change that is still there back, from under later ones; that is a new state."""
    changes = undoable(lines_of(flow), actor.pk)
    if taken := _take_back_first(flow, changes, "took back", actor, now):
        return taken
    if newest.created_by_id == actor.pk:
        raise NothingThere("There is nothing left to undo or redo.")
    raise NotYours(
        f"The newest change is {newest.created_by.get_full_name()}'s ({newest.label}), and none before it is yours."
    )


def _take_back_first(
    flow: Flow, numbers: Sequence[int], words: str, actor: User, now: dt.datetime
) -> Flow | None:
    """Take back the first of these states that still says something; None where none does. An undo that is taken back
    gives its change back."""
    states = DraftState.objects.filter(flow=flow)
    old = draft_of(flow)
    for number in numbers:
        mine = states.get(number=number)
        before = states.filter(number__lt=number).order_by("-number").first()
        if before is None:
            break
        was, then = (FlowDocument.model_validate(state.document) for state in (before, mine))
        new = within_rights(take_back(was, then, old), actor, now=old)
        if same(old, new):
            continue  # the others took all of it out already
        there = {node.id for node in old.walk()}
        moves = [one for text in mine.moves if (one := uuid.UUID(text)) in there]
        _check_people(flow, old, new, moves)
        label = mine.label.removeprefix("took back: ")
        _keep(flow, new, f"{words}: {label}", actor, now, moves, takes_back=number)
        return flow
    return None


def _point(flow: Flow, number: int, label: str, actor: User, now: dt.datetime) -> None:
    flow.draft_state, flow.draft_version = number, flow.draft_version + 1
    flow.draft_label, flow.draft_by, flow.updated_at = label[:120], actor, now
    flow.save(
        update_fields=["draft", "draft_state", "draft_version", "draft_label", "draft_by", "updated_at"]
    )


def _check_people(flow: Flow, old: FlowDocument, new: FlowDocument, moves: Sequence[uuid.UUID]) -> None:
    """People stand in the newest revision, so only a flow that was saved can hold any."""
    if not flow.revision:
        return
    occupancy = step_occupancy(flow.pk)
    for step_id in moves:
        check_move(old, step_id, occupancy)
    if occupancy:
        check_change(newest_document(flow.pk), new, occupancy)
