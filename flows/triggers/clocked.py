"""Triggers that no event fires but the clock: when they strike next, and whom they suggest then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flows.document import Trigger
from flows.event_filter import EventFilter
from flows.triggers.base import TriggerKind


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a trigger suggests when it strikes: a condition over the aliases `c` and `co`, and the day that a contact
    is suggested for, once. `data` goes with the suggestion as the triggering event's."""

    where: str
    params: Sequence[Any]
    day: dt.date
    data: dict[str, Any]


class ClockedTrigger(TriggerKind):
    """Base."""

    group = "Date and time"
    event_kinds = frozenset()

    def event_filter(self, trigger: Trigger) -> EventFilter:
        """No event is ever it."""
        return EventFilter("")

    def next_strike(self, trigger: Trigger, after: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
        """Return the first moment after `after` at which it strikes, or None for never again."""
        raise NotImplementedError

    def audience(
        self, trigger: Trigger, struck: dt.datetime, *, now: dt.datetime, zone: ZoneInfo
    ) -> Audience | None:
        """Return whom it suggests for that strike; None for nobody (it is unfinished, or what it names is gone)."""
        raise NotImplementedError
