"""How fast a tenant's messages go: at most so many a minute of a channel, counted over all workers in one row."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from delivery.models import Pace

WINDOW: Final = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Room:
    """How many messages of a channel may still go in this minute, and when the next one begins."""

    channel: str
    left: int
    next_at: dt.datetime


def rooms(now: dt.datetime) -> list[Room]:
    """Return the room of each channel that has a pace; locks their rows until the transaction ends, so that workers
    count one after another. One query where there is no pace."""
    found = []
    for pace in Pace.objects.select_for_update(no_key=True).order_by("channel"):
        if pace.window_at is None or not pace.window_at <= now < pace.window_at + WINDOW:
            pace.window_at, pace.used = now, 0
            pace.save(update_fields=["window_at", "used"])
        found.append(Room(pace.channel, max(0, pace.most_a_minute - pace.used), pace.window_at + WINDOW))
    return found


def use(room: Room, number: int) -> None:
    """Count messages that were reserved. Those that do not go after all are not given back: the next minute comes."""
    if number:
        pace = Pace.objects.get(channel=room.channel)
        pace.used += number
        pace.save(update_fields=["used"])
