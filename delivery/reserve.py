"""Takes a batch of one stream for a living process, and sweeps up what may not go any more. One commit each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from accounts.models import Holiday
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from core.timeframe import NeverOpens, Window, next_open
from delivery.holds import holds_of_channels
from delivery.models import ChannelHold, Stream
from delivery.pace import Room, rooms, use

# How many rows one statement sweeps or puts off: some hundred milliseconds.
SWEEP = 5_000

_TURN = """
SELECT s.id FROM delivery_stream s
WHERE s.tenant_id = %s AND s.state = 'open' AND EXISTS (
    SELECT 1 FROM delivery_message m
    WHERE m.tenant_id = s.tenant_id AND m.stream_id = s.id AND m.status = 'queued' AND m.reserved_by IS NULL
      AND m.send_at <= %s)
ORDER BY s.served_at NULLS FIRST, s.id LIMIT 1
"""
# MATERIALIZED: as a plain subquery it may stand inside a nested loop and run, with its LIMIT, once for each row.
_TAKE = """
WITH due AS MATERIALIZED (
    SELECT enrolled_on, id FROM delivery_message
    WHERE tenant_id = %(tenant)s AND stream_id = %(stream)s AND status = 'queued' AND reserved_by IS NULL
      AND send_at <= %(due)s {which}
    ORDER BY send_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE delivery_message m SET {change}
FROM due
WHERE m.tenant_id = %(tenant)s AND m.enrolled_on = due.enrolled_on AND m.id = due.id
RETURNING m.enrolled_on, m.id
"""


_TO_SWEEP = """
SELECT s.id FROM delivery_stream s
WHERE s.tenant_id = %s AND s.state = 'closed' AND EXISTS (
    SELECT 1 FROM delivery_message m
    WHERE m.tenant_id = s.tenant_id AND m.stream_id = s.id AND m.status = 'queued' AND m.reserved_by IS NULL)
"""

# A message: the day of its partition and its id.
Key = tuple[dt.date, int]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was reserved: the keys of messages of one stream. `busy` says that something was done at all; `holds` are
    those of the tenant's channels at that moment."""

    stream_id: int | None = None
    keys: tuple[Key, ...] = ()
    busy: bool = False
    holds: tuple[ChannelHold, ...] = ()


def reserve(*, tenant_id: int, process: int, now: dt.datetime, limit: int) -> Batch:
    """Reserve due messages of the open stream that was served longest ago, or put them off to its timeframe; those
    of a channel that does not work are put off until it is tried again."""
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        cursor.execute(_TURN, [tenant_id, now])
        turn = cursor.fetchone()
        if turn is None:
            return Batch()
        stream = Stream.objects.get(pk=turn[0])
        Stream.objects.filter(pk=stream.pk).update(served_at=now)
        opens = opens_at(stream, now)
        wanted = {"tenant": tenant_id, "stream": stream.pk, "due": now}
        if opens > now:
            cursor.execute(
                _TAKE.format(change="send_at = %(opens)s, reason = 'outside_timeframe'", which=""),
                {**wanted, "opens": opens, "limit": SWEEP},
            )
            return Batch(stream.pk, busy=True)
        holds = tuple(holds_of_channels())
        held = {h.channel: h.retry_at for h in holds if h.stream_id is None and h.retry_at > now}
        for channel, retry_at in held.items():
            cursor.execute(
                _TAKE.format(
                    change="send_at = %(until)s, reason = 'channel_down'", which="AND channel = %(channel)s"
                ),
                {**wanted, "until": retry_at, "channel": channel, "limit": SWEEP},
            )
        paced = rooms(now)
        keys: list[Key] = []
        for room in paced:
            if room.channel not in held:
                keys += _take_within(cursor, room, {**wanted, "me": process}, most=limit - len(keys))
        aside = [*held, *(room.channel for room in paced)]
        which = "AND channel <> ALL(%(aside)s::text[])" if aside else ""
        cursor.execute(
            _TAKE.format(change="reserved_by = %(me)s", which=which),
            {**wanted, "me": process, "limit": limit - len(keys), "aside": aside},
        )
        return Batch(stream.pk, (*keys, *cursor.fetchall()), busy=True, holds=holds)


def _take_within(cursor: psycopg.Cursor[Any], room: Room, wanted: dict[str, Any], *, most: int) -> list[Key]:
    """Reserve what this minute's pace allows of a channel; where nothing is left, put the rest off to the next."""
    given = {**wanted, "channel": room.channel}
    if room.left == 0:
        change, given["until"] = "send_at = %(until)s, reason = 'paced'", room.next_at
        cursor.execute(
            _TAKE.format(change=change, which="AND channel = %(channel)s"), {**given, "limit": SWEEP}
        )
        return []
    cursor.execute(
        _TAKE.format(change="reserved_by = %(me)s", which="AND channel = %(channel)s"),
        {**given, "limit": min(most, room.left)},
    )
    keys = cursor.fetchall()
    use(room, len(keys))
    return keys


def opens_at(stream: Stream, now: dt.datetime) -> dt.datetime:
    """Return when the stream's timeframe lets messages go: `now` itself, or later."""
    if not stream.timeframe:
        return now
    window = Window.from_json(stream.timeframe)
    holidays = (
        frozenset(Holiday.objects.values_list("day", flat=True)) if window.workdays_only else frozenset()
    )
    try:
        return next_open(window, now, ZoneInfo(stream.timezone), holidays)
    except NeverOpens:
        return now + dt.timedelta(days=1)


def sweep_closed(*, tenant_id: int) -> int:
    """Cancel queued messages of closed streams, at most SWEEP of each; return how many."""
    cancelled = 0
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        cursor.execute(_TO_SWEEP, [tenant_id])
        for (stream_id,) in cursor.fetchall():
            cursor.execute(
                _TAKE.format(change="status = 'cancelled', reason = 'flow_ended'", which=""),
                {"tenant": tenant_id, "stream": stream_id, "due": "infinity", "limit": SWEEP},
            )
            cancelled += cursor.rowcount
    return cancelled
