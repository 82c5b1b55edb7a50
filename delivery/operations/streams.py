"""Turning a stream: open, held, closed. Whoever owns the stream calls these in the transaction of its own status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from core import clock
from delivery.models import Message, OutgoingWebhook, Stream
from delivery.reasons import OUTSIDE_TIMEFRAME


def make_stream(*, name: str, state: Stream.State = Stream.State.CLOSED) -> Stream:
    """Make a stream; a flow's begins closed."""
    return Stream.objects.create(name=name[:200], state=state)


def _with_notes(stream_id: int) -> QuerySet[Stream]:
    """Return a stream and that of its notes: they are turned together."""
    return Stream.objects.filter(Q(pk=stream_id) | Q(notes_of=stream_id))


def open_stream(*, stream_id: int) -> None:
    """Let its messages go."""
    _with_notes(stream_id).update(state=Stream.State.OPEN)


def hold_stream(*, stream_id: int) -> None:
    """Keep its messages queued until it opens again."""
    _with_notes(stream_id).update(state=Stream.State.HELD)


@transaction.atomic
def close_stream(*, stream_id: int) -> None:
    """Cancel what is queued, for good: a new epoch begins, and delivery sweeps up the rows of the old one."""
    _with_notes(stream_id).exclude(state=Stream.State.CLOSED).update(
        state=Stream.State.CLOSED, epoch=F("epoch") + 1
    )
    # The reservation of one that is being made stays: it settles as what it is by then.
    OutgoingWebhook.objects.filter(stream_id=stream_id, status=OutgoingWebhook.Status.QUEUED).update(
        status=OutgoingWebhook.Status.CANCELLED, error="The flow was ended.", tried_at=clock.now()
    )


def apply_settings(
    *,
    stream_id: int,
    name: str,
    timezone: str,
    timeframe: Mapping[str, Any] | None,
    subscription_type_id: int | None,
    override_consent: bool,
    sender: Mapping[str, Any],
    reply_to: Mapping[str, Any],
    sms_sender: str = "",
    utm_source: str = "",
    utm_campaign: str = "",
    exclusions: Sequence[int] = (),
) -> None:
    """Set what counts for every message of the stream, queued ones included (JSON dumps of the flow's settings)."""
    Stream.objects.filter(pk=stream_id).update(
        name=name[:200],
        timezone=timezone,
        timeframe=timeframe,
        subscription_type_id=subscription_type_id,
        override_consent=override_consent,
        sender={"sender": dict(sender), "reply_to": dict(reply_to), "sms": sms_sender},
        utm={"source": utm_source, "campaign": utm_campaign},
        exclusions=list(exclusions),
    )


def put_forward(*, stream_id: int, now: dt.datetime) -> None:
    """Let what the timeframe has put off be looked at again: it is another one now. What waits for a retry goes on
    waiting."""
    put_off = Message.objects.filter(
        stream_id=stream_id,
        status=Message.Status.QUEUED,
        reserved_by=None,
        attempts=0,
        reason__in=["", OUTSIDE_TIMEFRAME],
        send_at__gt=now,
    )
    put_off.update(send_at=now)


def stream_for_tests() -> Stream:
    """Return the tenant's stream of test sends; the first call makes it."""
    stream, _ = Stream.objects.get_or_create(
        is_for_tests=True, defaults={"name": "Test sends", "state": Stream.State.OPEN}
    )
    return stream


def stream_for_notes(*, of: int) -> Stream:
    """Return the stream of a flow's notes to colleagues; the first call makes it.

    It is held and closed with the flow's own stream `of`, but has neither its timeframe nor its other settings. Inside
    the flow's gate, so that the two cannot part in between.
    """
    found = Stream.objects.filter(notes_of=of).first()
    if found is None:
        flows = Stream.objects.get(pk=of)
        found, _ = Stream.objects.get_or_create(
            notes_of=flows, defaults={"name": f"{flows.name}: notes"[:200], "state": flows.state}
        )
    return found
