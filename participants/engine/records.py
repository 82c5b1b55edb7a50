"""What a batch will write: visits that began or ended, counter deltas, events. Collected in memory, written in bulk.

Visits are kept as *stays*: whoever was at one step and left it the same way is one group and one statement, with
arrays only for what differs.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from core.db.given import Given
from core.tenancy import require_tenant_id
from crm.events import NewEvent
from participants.engine.moving import Moving

HERE, WENT_ON, LEFT = "", "went_on", "left"
Values = Mapping[str, Any] | None


def as_json(values: Values) -> str | None:
    """Return values as JSON text for a ::jsonb cast, or None."""
    return json.dumps(values, default=str) if values else None


@dataclass(frozen=True, slots=True)
class Stay:
    """Participants at one step whose visits end the same way, or stay open (`ended` empty).

    `numbers` are their visit numbers at that time; `values` one for each, or one for all; `fresh` says that these
    visits began in this batch and are not in the table yet.
    """

    movers: Sequence[Moving]
    step_id: uuid.UUID
    fresh: bool
    ended: str = HERE
    how: str = ""
    branch_id: uuid.UUID | None = None
    values: Sequence[Values] | Values = None
    messages: Mapping[int, int] | None = None
    numbers: Sequence[int] = ()

    def is_like(self, other: Stay) -> bool:
        """Whether another stay differs in its participants and their values only."""
        mine = self.step_id, self.fresh, self.ended, self.how, self.branch_id
        return mine == (other.step_id, other.fresh, other.ended, other.how, other.branch_id)

    def with_more(self, others: Sequence[Stay]) -> Stay:
        """Return this stay with the participants of others that are like it."""
        alike = [self, *others]
        # Usually one mapping of the whole cohort, which all of them share.
        sent = {id(stay.messages): stay.messages for stay in alike if stay.messages}
        return replace(
            self,
            movers=[mover for stay in alike for mover in stay.movers],
            values=[values for stay in alike for values in stay.values_of_each()],
            messages={mover: message for messages in sent.values() for mover, message in messages.items()},
            numbers=[number for stay in alike for number in stay.numbers],
        )

    def values_of_each(self) -> Sequence[Values]:
        """Return the values of each."""
        if self.values is None or isinstance(self.values, Mapping):
            return [self.values] * len(self.movers)
        return self.values

    def values_json(self) -> list[str | None]:
        """Return the values of each as JSON."""
        if self.values is None or isinstance(self.values, Mapping):
            return [as_json(self.values)] * len(self.movers)
        texts: dict[int, str | None] = {}
        for values in self.values:
            if id(values) not in texts:
                texts[id(values)] = as_json(values)
        return [texts[id(values)] for values in self.values]

    def message_ids(self) -> list[int | None]:
        """Return the message of each."""
        messages = self.messages or {}
        return [messages.get(mover.id) for mover in self.movers]


@dataclass(slots=True)
class Records:
    """Everything that one batch writes beside what the step kinds wrote themselves."""

    tenant_id: int
    flow_id: int
    revision: int
    now: dt.datetime
    stays: list[Stay] = field(default_factory=list)
    counts: Counter[tuple[uuid.UUID | None, str]] = field(default_factory=Counter)
    events: list[NewEvent] = field(default_factory=list)
    steps: int = 0

    def keep(self, stay: Stay) -> None:
        """Keep a stay and count it."""
        self.stays.append(stay)
        number, step_id = len(stay.movers), stay.step_id
        if stay.fresh:
            self.counts[step_id, "entered"] += number
        if stay.ended == WENT_ON:
            self.counts[step_id, WENT_ON] += number
            if stay.how:
                self.counts[step_id, stay.how] += number
        elif stay.ended == LEFT:
            self.counts[step_id, f"left:{stay.how}"] += number
        if stay.ended:
            self.steps += number
        if stay.branch_id is not None:
            self.counts[step_id, f"branch:{stay.branch_id}"] += number

    def write(self, cursor: psycopg.Cursor[Any]) -> None:
        """Write visits and counter deltas: one statement a stay, whatever its size; neighbours that are alike are one.

        A step kind may note something else of everybody (the sale that it made): that must not be a statement each.
        """
        for stay in self._merged():
            if stay.fresh:
                self._insert(cursor, stay)
            elif stay.ended or stay.values or stay.messages:
                self._update(cursor, stay)
        insert_deltas(
            cursor, tenant_id=self.tenant_id, flow_id=self.flow_id, counts=self.counts, now=self.now
        )

    def _merged(self) -> Iterator[Stay]:
        """Yield the stays in their order; only neighbours are merged, so that a visit is written in its own order."""
        alike: list[Stay] = []
        for stay in self.stays:
            if alike and not alike[0].is_like(stay):
                yield alike[0].with_more(alike[1:]) if len(alike) > 1 else alike[0]
                alike = []
            alike.append(stay)
        if alike:
            yield alike[0].with_more(alike[1:]) if len(alike) > 1 else alike[0]

    def _rows(self, stay: Stay) -> Given:
        return Given(
            {"participant_id": ("bigint", [mover.id for mover in stay.movers])},
            {
                "enrolled_on": ("date", [mover.enrolled_on for mover in stay.movers]),
                "number": ("int", list(stay.numbers)),
                "seen": ("jsonb", stay.values_json()),
                "message_id": ("bigint", stay.message_ids()),
            },
        )

    def _of_all(self, stay: Stay) -> dict[str, Any]:
        return {
            "tenant": self.tenant_id,
            "flow": self.flow_id,
            "revision": self.revision,
            "step": stay.step_id,
            "now": self.now,
            "went": self.now if stay.ended else None,
            "ended": stay.ended,
            "how": stay.how,
            "branch": stay.branch_id,
        }

    def _insert(self, cursor: psycopg.Cursor[Any], stay: Stay) -> None:
        rows = self._rows(stay)
        cursor.execute(
            f"""
            INSERT INTO participants_visit (tenant_id, flow_id, revision, step_id, came_at, went_at, ended, how,
                                            branch_id, enrolled_on, participant_id, number, "values", message_id)
            SELECT %(tenant)s, %(flow)s, %(revision)s, %(step)s::uuid, %(now)s::timestamptz, %(went)s::timestamptz,
                   %(ended)s, %(how)s, %(branch)s::uuid,
                   {rows.list("enrolled_on", "participant_id", "number", "seen", "message_id")}
            FROM {rows.source}
            """,
            {**rows.parameters, **self._of_all(stay)},
        )

    def _update(self, cursor: psycopg.Cursor[Any], stay: Stay) -> None:
        rows = self._rows(stay)
        cursor.execute(
            f"""
            UPDATE participants_visit AS visit
            SET ended = %(ended)s, how = %(how)s, branch_id = %(branch)s::uuid, went_at = %(went)s::timestamptz,
                "values" = CASE WHEN {rows["seen"]} IS NULL THEN visit."values"
                                ELSE coalesce(visit."values", '{{}}'::jsonb) || {rows["seen"]} END,
                message_id = coalesce({rows["message_id"]}, visit.message_id)
            FROM {rows.source}
            WHERE visit.enrolled_on = {rows["enrolled_on"]} AND visit.participant_id = v.participant_id
              AND visit.number = {rows["number"]} AND visit.tenant_id = %(tenant)s
            """,
            {**rows.parameters, **self._of_all(stay)},
        )


def count_of_flow(
    cursor: psycopg.Cursor[Any], *, flow_id: int, measure: str, amount: int, now: dt.datetime
) -> None:
    """Append one delta of the flow as a whole."""
    counts: dict[tuple[uuid.UUID | None, str], int] = {(None, measure): amount}
    insert_deltas(cursor, tenant_id=require_tenant_id(), flow_id=flow_id, counts=counts, now=now)


def count_moments(
    cursor: psycopg.Cursor[Any], *, flow_id: int, measure: str, moments: Sequence[dt.datetime], each: int = 1
) -> None:
    """Append deltas of the flow as a whole for what happened at moments of their own: one a day. -1 takes back."""
    cursor.execute(
        """
        INSERT INTO participants_counterdelta (tenant_id, flow_id, measure, amount, day)
        SELECT t.id, %s, %s, %s * count(*), (m.at AT TIME ZONE t.timezone)::date
        FROM unnest(%s::timestamptz[]) AS m(at) CROSS JOIN accounts_tenant t WHERE t.id = %s GROUP BY 1, 5
        """,
        [flow_id, measure, each, list(moments), require_tenant_id()],
    )


def insert_deltas(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    flow_id: int,
    counts: Mapping[tuple[uuid.UUID | None, str], int],
    now: dt.datetime,
) -> None:
    """Append counter deltas, dated by the day that it is for the tenant; participants.counters folds them."""
    items = [(step, measure, amount) for (step, measure), amount in counts.items() if amount]
    if items:
        cursor.execute(
            """
            INSERT INTO participants_counterdelta (tenant_id, flow_id, step_id, measure, amount, day)
            SELECT t.id, %s, d.step_id, d.measure, d.amount, (%s::timestamptz AT TIME ZONE t.timezone)::date
            FROM unnest(%s::uuid[], %s::text[], %s::bigint[]) AS d(step_id, measure, amount)
            CROSS JOIN accounts_tenant t WHERE t.id = %s
            """,
            [flow_id, now, [i[0] for i in items], [i[1] for i in items], [i[2] for i in items], tenant_id],
        )
