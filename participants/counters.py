"""Counters per flow and step: deltas are appended by every batch, folded into totals (and days, counters_days), and
read as both.

Measures of a step: entered, went_on, left:<reason>, skipped, branch:<id>. Of the flow (no step): enrolled, finished,
success, dropped:<reason>, cancelled, success_met. Here now = entered - went_on - left.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import Any

import psycopg
from django.db.models import Sum

from core.db.cursors import raw_cursor
from participants.models import CounterDelta, CounterTotal

# Class of the advisory lock "one fold a tenant".
_FOLD_LOCK = 0x464F << 48
FOLD_ROWS = 10_000

_FOLD = """
WITH taken AS (
    DELETE FROM participants_counterdelta
    WHERE tenant_id = %(tenant)s AND id = ANY(ARRAY(
        SELECT id FROM participants_counterdelta WHERE tenant_id = %(tenant)s ORDER BY id LIMIT %(rows)s))
    RETURNING flow_id, step_id, measure, amount, day
), days AS (
    INSERT INTO participants_counterday AS t (tenant_id, flow_id, day, step_id, measure, amount)
    SELECT %(tenant)s, flow_id, day, step_id, measure, sum(amount) FROM taken WHERE day IS NOT NULL
    GROUP BY flow_id, day, step_id, measure
    ON CONFLICT (tenant_id, flow_id, day, step_id, measure) DO UPDATE SET amount = t.amount + excluded.amount
), folded AS (
    INSERT INTO participants_countertotal AS t (tenant_id, flow_id, step_id, measure, amount)
    SELECT %(tenant)s, flow_id, step_id, measure, sum(amount) FROM taken GROUP BY flow_id, step_id, measure
    ON CONFLICT (tenant_id, flow_id, step_id, measure) DO UPDATE SET amount = t.amount + excluded.amount
    RETURNING 1
)
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM folded)
"""


def fold(*, tenant_id: int) -> int:
    """Fold up to FOLD_ROWS deltas of the tenant; return how many. One at a time per tenant, others do nothing.

    The tenant's scope must be open. A read in between sees totals and tail of one snapshot.
    """
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s::bigint)", [_FOLD_LOCK | tenant_id])
        if not _one(cursor):
            return 0
        cursor.execute(_FOLD, {"tenant": tenant_id, "rows": FOLD_ROWS})
        return int(_one(cursor))


def _one(cursor: psycopg.Cursor[Any]) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None


def _sums(flow_ids: list[int], *, with_steps: bool) -> dict[tuple[int, uuid.UUID | None, str], int]:
    totals: dict[tuple[int, uuid.UUID | None, str], int] = defaultdict(int)
    for table in (CounterTotal, CounterDelta):
        rows = table.objects.filter(flow_id__in=flow_ids)
        if not with_steps:
            rows = rows.filter(step_id=None)
        summed = rows.values_list("flow_id", "step_id", "measure").annotate(Sum("amount")).order_by()
        for flow_id, step_id, measure, amount in summed:
            totals[flow_id, step_id, measure] += amount
    return totals


def flow_counts(flow_ids: list[int]) -> dict[int, dict[str, int]]:
    """Return the flow-level measures of each flow; two queries, whatever the flows' size."""
    counts: dict[int, dict[str, int]] = {flow_id: defaultdict(int) for flow_id in flow_ids}
    for (flow_id, _, measure), amount in _sums(flow_ids, with_steps=False).items():
        counts[flow_id][measure] += amount
    return counts


def step_counts(flow_id: int) -> dict[uuid.UUID, dict[str, int]]:
    """Return the measures of each step of one flow, with `here` and `left` computed; two queries."""
    counts: dict[uuid.UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (_, step_id, measure), amount in _sums([flow_id], with_steps=True).items():
        if step_id is not None:
            counts[step_id][measure] += amount
    for measures in counts.values():
        measures["left"] = sum(amount for name, amount in measures.items() if name.startswith("left:"))
        measures["here"] = measures["entered"] - measures["went_on"] - measures["left"]
    return counts


def has_passed(*, flow_id: int, step_id: uuid.UUID) -> bool:
    """Say whether anyone ever went on from this step."""
    return step_counts(flow_id)[step_id]["went_on"] > 0
