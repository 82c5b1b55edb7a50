"""The counters by day: what happened in a flow on which day of the tenant's, per step and for the flow as a whole.

Deltas carry their day; counters.fold adds them to CounterDay as to the totals. A day's sums are of what happened on
that day: who entered then, who left then. Participations that are erased leave the days they were counted on.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db.models import QuerySet, Sum

from participants.models import CounterDay, CounterDelta

# What the participations in `ids` count, by day, out of the facts themselves. The same measures as the engine's.
FACTS = """
WITH those AS (
    SELECT p.*, t.timezone AS zone FROM participants_participant p JOIN accounts_tenant t ON t.id = p.tenant_id
    WHERE p.tenant_id = %(tenant)s AND p.id = ANY(%(ids)s::bigint[])
)
SELECT p.flow_id, NULL::uuid AS step_id, m.measure, (m.at AT TIME ZONE p.zone)::date AS day, count(*) AS number
FROM those p
CROSS JOIN LATERAL (VALUES
    ('enrolled', p.enrolled_at),
    (CASE WHEN p.status = 'dropped' THEN 'dropped:' || p.drop_reason ELSE p.status END, p.ended_at),
    ('success_met', p.success_at)) AS m(measure, at)
WHERE m.at IS NOT NULL GROUP BY 1, 2, 3, 4
UNION ALL
SELECT p.flow_id, v.step_id, m.measure, (m.at AT TIME ZONE p.zone)::date, count(*)
FROM those p
JOIN participants_visit v ON v.tenant_id = p.tenant_id AND v.enrolled_on = p.enrolled_on AND v.participant_id = p.id
CROSS JOIN LATERAL (VALUES
    ('entered', v.came_at),
    (CASE v.ended WHEN 'went_on' THEN 'went_on' WHEN 'left' THEN 'left:' || v.how END, v.went_at),
    (CASE WHEN v.ended = 'went_on' AND v.how <> '' THEN v.how END, v.went_at),
    ('branch:' || v.branch_id::text, coalesce(v.went_at, v.came_at))) AS m(measure, at)
WHERE m.measure IS NOT NULL GROUP BY 1, 2, 3, 4
"""


def take_back(cursor: psycopg.Cursor[Any], *, tenant_id: int, participant_ids: Sequence[int]) -> None:
    """Append the opposite of what these participations counted, on the days on which they did."""
    cursor.execute(
        f"""
        INSERT INTO participants_counterdelta (tenant_id, flow_id, step_id, measure, day, amount)
        SELECT %(tenant)s, flow_id, step_id, measure, day, -number FROM ({FACTS}) AS facts
        """,
        {"tenant": tenant_id, "ids": list(participant_ids)},
    )


Counts = dict[tuple[uuid.UUID | None, str], int]


def counts_between(*, flow_id: int, first: dt.date, last: dt.date) -> Counts:
    """Return the sums of the days from `first` to `last`, both included, by step and measure; two queries."""
    counts: Counts = defaultdict(int)
    for rows in _tables(flow_id, first, last):
        for step_id, measure, amount in rows.values_list("step_id", "measure").annotate(Sum("amount")):
            counts[step_id, measure] += amount
    return counts


def flow_days(*, flow_id: int, first: dt.date | None, last: dt.date) -> dict[dt.date, dict[str, int]]:
    """Return the flow-level measures of each day on which anything happened, oldest first; two queries."""
    days: dict[dt.date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for rows in _tables(flow_id, first, last):
        summed = rows.filter(step_id=None).values_list("day", "measure").annotate(Sum("amount"))
        for day, measure, amount in summed:
            days[day][measure] += amount
    return dict(sorted(days.items()))


def _tables(flow_id: int, first: dt.date | None, last: dt.date) -> list[QuerySet[Any]]:
    tables: list[QuerySet[Any]] = [CounterDay.objects.all(), CounterDelta.objects.all()]
    asked = [rows.filter(flow_id=flow_id, day__lte=last).order_by() for rows in tables]
    return [rows.filter(day__gte=first) for rows in asked] if first else asked
