"""When a flow's own clock strikes next: its start time, triggers that no event fires, and the day's judging of what
depends on today.

Pure, over a document. A moment is struck once, in order; after an outage the last CATCH_UP are made up for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from core.localtime import moment
from crm.criteria.change import depends_on_today
from flows.document import FlowDocument, Trigger
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.clocked import ClockedTrigger
from flows.triggers.table import TRIGGER_KINDS

CATCH_UP = dt.timedelta(hours=24)
# Five past midnight in the flow's timezone, when "today" is another day.
DAILY = dt.time(0, 5)
_DAY = dt.timedelta(days=1)


def next_strike(document: FlowDocument, *, after: dt.datetime, daily: bool) -> dt.datetime | None:
    """Return the first moment after `after` at which anything strikes."""
    moments = [strike for _, strike in _next_of_each(document, after)]
    if document.settings.starts_at is not None and document.settings.starts_at > after:
        moments.append(document.settings.starts_at)
    if daily:
        moments.append(_next_daily(document, after))
    return min(moments, default=None)


def strikes_between(
    document: FlowDocument, *, after: dt.datetime, until: dt.datetime
) -> list[tuple[Trigger, dt.datetime]]:
    """Return what struck after one moment and not after the other, in order."""
    found = []
    for trigger, strike in _next_of_each(document, after):
        kind = _clocked(trigger)
        at: dt.datetime | None = strike
        while at is not None and at <= until:
            found.append((trigger, at))
            at = kind.next_strike(trigger, at, document.settings.zone) if kind else None
    return sorted(found, key=lambda pair: pair[1])


def daily_between(document: FlowDocument, *, after: dt.datetime, until: dt.datetime) -> bool:
    """Say whether a day began in between."""
    return _next_daily(document, after) <= until


def judges_daily(document: FlowDocument) -> bool:
    """Say whether success or the end of a wait may come by the mere passing of a day."""
    states = (SUCCESS_KINDS[item.kind].state(item) for item in document.success)
    waits = (
        STEP_KINDS[node.kind].waits_for(node) for node in document.walk() if STEP_KINDS[node.kind].is_wait
    )
    return any(criteria is not None and depends_on_today(criteria) for criteria in (*states, *waits))


def _next_of_each(document: FlowDocument, after: dt.datetime) -> Iterator[tuple[Trigger, dt.datetime]]:
    for trigger in document.triggers:
        kind = _clocked(trigger)
        strike = kind.next_strike(trigger, after, document.settings.zone) if kind else None
        if strike is not None:
            yield trigger, strike


def _clocked(trigger: Trigger) -> ClockedTrigger | None:
    kind = TRIGGER_KINDS[trigger.kind]
    return kind if isinstance(kind, ClockedTrigger) else None


def _next_daily(document: FlowDocument, after: dt.datetime) -> dt.datetime:
    zone = document.settings.zone
    day = after.astimezone(zone).date()
    today = moment(day, DAILY, zone)
    return today if today > after else moment(day + _DAY, DAILY, zone)
