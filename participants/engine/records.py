"""What a batch will write: visits that began or ended, counter deltas, events. Collected in memory, written in bulk."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from core.tenancy import require_tenant_id
from crm.events import NewEvent
from participants.engine.moving import Moving

HERE, WENT_ON, LEFT = "", "went_on", "left"


def as_json(values: Mapping[str, Any] | None) -> str | None:
    """Return values as JSON text for a ::jsonb cast, or None."""
    return json.dumps(values, default=str) if values else None


@dataclass(slots=True)
class VisitRow:
    """The visit a participant is on; `ended` empty means that it stays there."""

    mover: Moving
    number: int
    step_id: uuid.UUID
    came_at: dt.datetime
    fresh: bool
    ended: str = HERE
    how: str = ""
    branch_id: uuid.UUID | None = None
    values: Mapping[str, Any] | None = None
    message_id: int | None = None


@dataclass(slots=True)
class Records:
    """Everything that one batch writes beside what the step kinds wrote themselves."""

    tenant_id: int
    flow_id: int
    revision: int
    now: dt.datetime
    begun: list[VisitRow] = field(default_factory=list)
    closed: list[VisitRow] = field(default_factory=list)
    counts: Counter[tuple[uuid.UUID | None, str]] = field(default_factory=Counter)
    events: list[NewEvent] = field(default_factory=list)

    def keep(self, row: VisitRow) -> None:
        """Keep a visit: a fresh one is inserted as it is, an older one updated where it ended."""
        (self.begun if row.fresh else self.closed).append(row)
        if row.fresh:
            self.counts[row.step_id, "entered"] += 1
        if row.ended == WENT_ON:
            self.counts[row.step_id, "went_on"] += 1
            if row.how:
                self.counts[row.step_id, row.how] += 1
            if row.branch_id is not None:
                self.counts[row.step_id, f"branch:{row.branch_id}"] += 1
        elif row.ended == LEFT:
            self.counts[row.step_id, f"left:{row.how}"] += 1

    def write(self, cursor: psycopg.Cursor[Any]) -> None:
        """Write visits and counter deltas; three statements at most, whatever the batch's size."""
        self._insert_visits(cursor)
        self._update_visits(cursor)
        self._insert_deltas(cursor)

    def _insert_visits(self, cursor: psycopg.Cursor[Any]) -> None:
        rows = self.begun
        if not rows:
            return
        cursor.execute(
            """
            INSERT INTO participants_visit (tenant_id, flow_id, revision, enrolled_on, participant_id, number, step_id,
                                            came_at, went_at, ended, how, branch_id, "values", message_id)
            SELECT %s, %s, %s, v.enrolled_on, v.participant_id, v.number, v.step_id, v.came_at,
                   CASE WHEN v.ended <> '' THEN %s END, v.ended, v.how, v.branch_id, v.seen::jsonb, v.message_id
            FROM unnest(%s::date[], %s::bigint[], %s::int[], %s::uuid[], %s::timestamptz[], %s::text[], %s::text[],
                        %s::uuid[], %s::text[], %s::bigint[])
                 AS v(enrolled_on, participant_id, number, step_id, came_at, ended, how, branch_id, seen, message_id)
            """,
            [
                self.tenant_id,
                self.flow_id,
                self.revision,
                self.now,
                [row.mover.enrolled_on for row in rows],
                [row.mover.id for row in rows],
                [row.number for row in rows],
                [row.step_id for row in rows],
                [row.came_at for row in rows],
                [row.ended for row in rows],
                [row.how for row in rows],
                [row.branch_id for row in rows],
                [as_json(row.values) for row in rows],
                [row.message_id for row in rows],
            ],
        )

    def _update_visits(self, cursor: psycopg.Cursor[Any]) -> None:
        rows = [row for row in self.closed if row.ended or row.values or row.message_id]
        if not rows:
            return
        cursor.execute(
            """
            UPDATE participants_visit AS visit
            SET ended = v.ended, how = v.how, branch_id = v.branch_id, went_at = CASE WHEN v.ended <> '' THEN %s END,
                "values" = CASE WHEN v.seen IS NULL THEN visit."values"
                                ELSE coalesce(visit."values", '{}'::jsonb) || v.seen::jsonb END,
                message_id = coalesce(v.message_id, visit.message_id)
            FROM unnest(%s::date[], %s::bigint[], %s::int[], %s::text[], %s::text[], %s::uuid[], %s::text[],
                        %s::bigint[]) AS v(enrolled_on, participant_id, number, ended, how, branch_id, seen, message_id)
            WHERE visit.enrolled_on = v.enrolled_on AND visit.participant_id = v.participant_id
              AND visit.number = v.number AND visit.tenant_id = %s
            """,
            [
                self.now,
                [row.mover.enrolled_on for row in rows],
                [row.mover.id for row in rows],
                [row.number for row in rows],
                [row.ended for row in rows],
                [row.how for row in rows],
                [row.branch_id for row in rows],
                [as_json(row.values) for row in rows],
                [row.message_id for row in rows],
                self.tenant_id,
            ],
        )

    def _insert_deltas(self, cursor: psycopg.Cursor[Any]) -> None:
        insert_deltas(cursor, tenant_id=self.tenant_id, flow_id=self.flow_id, counts=self.counts)


def count_of_flow(cursor: psycopg.Cursor[Any], *, flow_id: int, measure: str, amount: int) -> None:
    """Append one delta of the flow as a whole."""
    insert_deltas(cursor, tenant_id=require_tenant_id(), flow_id=flow_id, counts={(None, measure): amount})


def insert_deltas(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    flow_id: int,
    counts: Mapping[tuple[uuid.UUID | None, str], int],
) -> None:
    """Append counter deltas; participants.counters folds them."""
    items = [(step, measure, amount) for (step, measure), amount in counts.items() if amount]
    if items:
        cursor.execute(
            """
            INSERT INTO participants_counterdelta (tenant_id, flow_id, step_id, measure, amount)
            SELECT %s, %s, d.step_id, d.measure, d.amount
            FROM unnest(%s::uuid[], %s::text[], %s::bigint[]) AS d(step_id, measure, amount)
            """,
            [tenant_id, flow_id, [i[0] for i in items], [i[1] for i in items], [i[2] for i in items]],
        )
