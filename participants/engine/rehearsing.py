"""One contact goes through a flow as its draft is, by the engine itself, in a transaction that is always rolled back.

Nothing is sent, kept or seen by anybody: what the engine writes is gone at the end, wakes are not given. A virtual
clock jumps from one moment that is due to the next. What the contact is taken to do are events, written before the
engine looks for them. The contact's row is locked meanwhile, as in any batch (docs/adr/0009).
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from django.db import transaction

from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.events import NewEvent, Origin, record_events
from delivery.models import Message
from flows.document import FlowDocument
from flows.models import Flow, FlowRevision
from flows.steps.actions import Happened
from participants.engine.batch import step_through
from participants.engine.claim import claim_these
from participants.models import HeldStep, Participant

MOST_MOVES = 400
FARTHEST = dt.timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the contact is taken to do in a wait: something that happens, or (None) the wait's criteria come true, so
    long after the arrival. What comes after the wait's end comes too late."""

    happens: Happened | None
    after: dt.timedelta


@dataclass(frozen=True, slots=True)
class Assumed:
    """What the contact is taken to do: in waits, and (`did`) right after entering."""

    replies: Mapping[uuid.UUID, Reply] = field(default_factory=dict)
    did: Sequence[Happened] = ()


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How it went, to be read before the transaction is rolled back: the flow as it was taken, the participant at the
    end, the moment of the clock, and why it stopped (empty: it left the flow)."""

    flow: Flow
    participant: Participant
    at: dt.datetime
    stopped: str = ""
    held_at: uuid.UUID | None = None


@contextmanager
def rehearsed(
    *,
    flow_id: int,
    document: FlowDocument,
    contact_id: int,
    actor: User,
    now: dt.datetime,
    assumed: Assumed,
) -> Iterator[Rehearsed]:
    """Walk the contact through the document from `now` on, and take everything back at the end.

    The contact enters whatever the rules of enrolment say. Raises Contact and Flow errors as a batch does; a lock that
    is not given in time is Django's OperationalError.
    """
    # What fails in a rehearsal is in the log as one.
    with transaction.atomic(), structlog.contextvars.bound_contextvars(rehearsal=True):
        try:
            yield _walk(flow_id, document, contact_id, actor, now, assumed)
        finally:
            transaction.set_rollback(True)


def _walk(
    flow_id: int,
    document: FlowDocument,
    contact_id: int,
    actor: User,
    now: dt.datetime,
    assumed: Assumed,
) -> Rehearsed:
    flow = _as_drafted(flow_id, document, actor, now)
    person = _enter(flow, contact_id, now)
    _happen(flow, person, assumed.did, now)
    at = max(now, document.settings.starts_at or now)
    answered: set[uuid.UUID] = set()
    for _ in range(MOST_MOVES):
        _move(flow, person, at)
        person.refresh_from_db()
        step = person.step_id
        if person.status != Participant.Status.ACTIVE:
            return Rehearsed(flow, person, at)
        if step and (held := HeldStep.objects.filter(flow_id=flow_id, step_id=step).first()):
            return Rehearsed(flow, person, at, held.cause, step)
        reply = assumed.replies.get(step) if step and person.waiting and step not in answered else None
        if step and reply and (then := _reply(flow, person, reply)):
            answered.add(step)
            at = then
            continue
        if person.due_at is None:
            return Rehearsed(
                flow, person, at, "Waits for ever: nothing ends this wait but what it waits for."
            )
        at = max(at, person.due_at)
        if at - now > FARTHEST:
            break
    return Rehearsed(flow, person, at, "Is still inside after five years of the clock.")


def _as_drafted(flow_id: int, document: FlowDocument, actor: User, now: dt.datetime) -> Flow:
    """Return the flow running by the document, as a revision whose number no saved one has."""
    flow = Flow.objects.get(pk=flow_id, deleted_at=None)
    number = -1 - secrets.randbelow(2**31 - 2)
    FlowRevision.objects.create(
        flow=flow, number=number, document=document.model_dump(mode="json"), created_at=now, created_by=actor
    )
    flow.status, flow.revision, flow.starts_at = Flow.Status.RUNNING, number, document.settings.starts_at
    HeldStep.objects.filter(flow_id=flow_id).delete()
    return flow


def _enter(flow: Flow, contact_id: int, now: dt.datetime) -> Participant:
    """Make the contact a participant; whoever is inside already is taken out of the way."""
    Participant.objects.filter(
        flow_id=flow.pk, contact_id=contact_id, status=Participant.Status.ACTIVE
    ).update(status=Participant.Status.CANCELLED, ended_at=now, due_at=None, waiting=False, listening=False)
    return Participant.objects.create(
        flow_id=flow.pk,
        contact_id=contact_id,
        enrolled_on=now.date(),
        enrolled_at=now,
        source="manual",
        step_since=now,
        due_at=now,
    )


def _move(flow: Flow, person: Participant, at: dt.datetime) -> None:
    with raw_cursor() as cursor:
        movers = claim_these(
            cursor, tenant_id=require_tenant_id(), flow_id=flow.pk, participant_ids=[person.pk]
        )
        step_through(cursor, flow=flow, movers=movers, now=at)
    # Delivery hands over at once here: what was sent is not withdrawn by leaving later.
    queued = Message.objects.filter(enrolled_on=person.enrolled_on, participant_id=person.pk)
    queued.filter(status=Message.Status.QUEUED).update(status=Message.Status.SENT, handed_at=at)


def _reply(flow: Flow, person: Participant, reply: Reply) -> dt.datetime | None:
    """Let it happen and return when; None where the wait is over before."""
    then = person.step_since + reply.after
    if person.due_at is not None and person.due_at < then:
        return None
    if reply.happens is None:
        Participant.objects.filter(pk=person.pk).update(heard_at=then)
    else:
        _happen(flow, person, [reply.happens], then)
    return then


def _happen(flow: Flow, person: Participant, what: Sequence[Happened], at: dt.datetime) -> None:
    record_events(
        [
            NewEvent(
                kind=one.kind,
                contact_id=person.contact_id,
                at=at,
                origin=Origin.SYSTEM,
                object_id=one.object_id,
                object_key=one.object_key,
                data=one.data,
            )
            for one in what
        ]
    )
