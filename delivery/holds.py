"""Channels that do not work: noted while sending, tried again with growing waits, gone when something gets through.

A fault of the channel, or of a sender, is no message's: nobody's tries are used up, and nothing is given up for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.channels.base import HandOver, Outcome
from delivery.models import ChannelHold

Cause = ChannelHold.Cause
# The first wait and the longest; each is twice the one before.
FIRST, LONGEST = 30, 300
# How long a message waits whose sender was refused.
SENDER: Final = dt.timedelta(minutes=10)
# What certainly is an answer about the message: the channel works.
_ANSWERS = frozenset(
    {Outcome.SENT, Outcome.REFUSED, Outcome.FAILED, Outcome.DEFERRED, Outcome.OPTED_OUT, Outcome.SENDER}
)


@dataclass(slots=True)
class Findings:
    """What one turn learned of one channel."""

    channel: str
    down: HandOver | None = None
    refuses: HandOver | None = None
    answers: bool = False
    sent: bool = False

    def note(self, result: HandOver) -> None:
        """Take the outcome of one hand-over."""
        if result.outcome is Outcome.DOWN:
            self.down = self.down or result
        if result.outcome is Outcome.SENDER:
            self.refuses = self.refuses or result
        self.answers = self.answers or result.outcome in _ANSWERS
        self.sent = self.sent or result.outcome is Outcome.SENT


def holds_of_channels() -> list[ChannelHold]:
    """Return the open tenant's holds; usually none."""
    return list(ChannelHold.objects.order_by("since"))


def keep(findings: Findings, *, stream_id: int, held: Sequence[ChannelHold], now: dt.datetime) -> None:
    """Write down what a turn learned. `held` are the holds when it began. Inside the tenant's scope."""
    if findings.down is not None:
        cause = findings.down.cause or Cause.UNREACHABLE
        _hold(findings.channel, cause, findings.down.said, None, now, wait=findings.down.wait)
    elif findings.answers and any(h.channel == findings.channel and h.stream_id is None for h in held):
        ChannelHold.objects.filter(channel=findings.channel, stream=None).delete()
    if findings.refuses is not None:
        _hold(findings.channel, Cause.SENDER, findings.refuses.said, stream_id, now)
    elif findings.sent and any(h.channel == findings.channel and h.stream_id == stream_id for h in held):
        ChannelHold.objects.filter(channel=findings.channel, stream=stream_id).delete()


def forget(channel: str) -> None:
    """Forget why a channel did not work: somebody has mended it. What waits goes at its next moment."""
    ChannelHold.objects.filter(channel=channel).delete()


def hasten(channel: str, *, now: dt.datetime) -> None:
    """Let what waits for a channel go at once; the next hand-over shows whether it works now."""
    forget(channel)
    with raw_cursor() as cursor:
        cursor.execute(
            "UPDATE delivery_message SET send_at = %s WHERE tenant_id = %s AND channel = %s AND status = 'queued'"
            " AND reserved_by IS NULL AND reason IN ('channel_down', 'sender_refused') AND send_at > %s",
            [now, require_tenant_id(), channel, now],
        )


def _hold(
    channel: str, cause: str, said: str, stream_id: int | None, now: dt.datetime, *, wait: int = 0
) -> None:
    """Begin a hold, or lengthen one; another cause begins anew. It lasts `wait` seconds at least."""
    asked = now + dt.timedelta(seconds=wait)
    of: dict[str, Any] = {"channel": channel, "stream_id": stream_id}
    hold, made = ChannelHold.objects.get_or_create(
        **of,
        defaults={"cause": cause, "said": said[:400], "since": now, "retry_at": max(asked, _next(1, now))},
    )
    if made:
        return
    same = hold.cause == cause
    tries = hold.tries + 1 if same else 1
    ChannelHold.objects.filter(pk=hold.pk).update(
        cause=cause,
        said=said[:400],
        since=hold.since if same else now,
        tries=F("tries") + 1 if same else 1,
        retry_at=max(asked, _next(tries, now)),
    )


def _next(tries: int, now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(seconds=min(LONGEST, FIRST * 2 ** min(tries - 1, 10)))
