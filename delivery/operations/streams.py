"""Turning a stream: open, held, closed. Whoever owns the stream calls these in the transaction of its own status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from delivery.models import Stream


def make_stream(*, name: str, state: Stream.State = Stream.State.CLOSED) -> Stream:
    """Make a stream; a flow's begins closed."""
    return Stream.objects.create(name=name[:200], state=state)


def open_stream(*, stream_id: int) -> None:
    """Let its messages go."""
    Stream.objects.filter(pk=stream_id).update(state=Stream.State.OPEN)


def hold_stream(*, stream_id: int) -> None:
    """Keep its messages queued until it opens again."""
    Stream.objects.filter(pk=stream_id).update(state=Stream.State.HELD)


@transaction.atomic
def close_stream(*, stream_id: int) -> None:
    """Cancel what is queued, for good: a new epoch begins, and delivery sweeps up the rows of the old one."""
    Stream.objects.exclude(state=Stream.State.CLOSED).filter(pk=stream_id).update(
        state=Stream.State.CLOSED, epoch=F("epoch") + 1
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


def stream_for_tests() -> Stream:
    """Return the tenant's stream of test sends; the first call makes it."""
    stream, _ = Stream.objects.get_or_create(
        is_for_tests=True, defaults={"name": "Test sends", "state": Stream.State.OPEN}
    )
    return stream


def stream_for_colleagues() -> Stream:
    """Return the tenant's stream of notes to its own people; the first call makes it. Flows' messages to colleagues
    go here: a flow's own stream keeps the timeframe."""
    stream, _ = Stream.objects.get_or_create(
        is_for_colleagues=True, defaults={"name": "Notes to colleagues", "state": Stream.State.OPEN}
    )
    return stream
