"""The control group: who was held out of a flow, watched for success all the same, so that the flow can be compared.

A contact is held out of a flow once, at its first suggestion that only this rule refused. From then on what would be a
success for somebody in the flow is noted here, for as long as the flow is on. Reports read `control_group`; sales of
those held out are found by `held_out_contacts`. Set-based, in the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from django.db.models import Count, Q, QuerySet

from core.tenancy import require_tenant_id
from crm.criteria.among import those_who
from flows.document import FlowDocument
from participants.models import HeldOut, Participant
from participants.success import NEVER, success_sql

Cursor = psycopg.Cursor[Any]
SLICE: Final = 5_000


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """People held out and people enrolled, each with how many of them met success, at any time since."""

    held_out: int
    held_out_success: int
    enrolled: int
    enrolled_success: int
    # When the first of them was held out: whoever entered from then on is compared with them.
    since: dt.datetime | None = field(default=None, compare=False)

    @property
    def held_out_rate(self) -> float | None:
        """Share of those held out who met success, in percent; None where nobody is held out."""
        return 100 * self.held_out_success / self.held_out if self.held_out else None

    @property
    def enrolled_rate(self) -> float | None:
        """Share of those enrolled who met success, in percent; None where nobody was enrolled."""
        return 100 * self.enrolled_success / self.enrolled if self.enrolled else None

    @property
    def lift(self) -> float | None:
        """Percentage points that those in the flow are ahead; None where there is nothing to compare."""
        if self.held_out_rate is None or self.enrolled_rate is None:
            return None
        return self.enrolled_rate - self.held_out_rate


def control_group(flow_id: int) -> ControlGroup:
    """Return the comparison: people, not entries, from the first one held out on. Two aggregates over indexes."""
    met = Count("contact_id", filter=Q(success_at__isnull=False), distinct=True)
    held = HeldOut.objects.filter(flow_id=flow_id)
    first = held.order_by("held_at").values_list("held_at", flat=True).first()
    out = held.aggregate(people=Count("pk"), met=met)
    # Before there was a control group nobody stood against those who were enrolled.
    inside = Participant.objects.filter(flow_id=flow_id)
    inside = inside.filter(enrolled_at__gte=first) if first is not None else inside.none()
    entered = inside.aggregate(people=Count("contact_id", distinct=True), met=met)
    return ControlGroup(out["people"], out["met"], entered["people"], entered["met"], first)


def held_out_contacts(flow_id: int, *, success: bool | None = None) -> QuerySet[HeldOut]:
    """Return those held out, newest first; only those with or without success where `success` says so."""
    held = HeldOut.objects.filter(flow_id=flow_id).order_by("-pk")
    return held if success is None else held.filter(success_at__isnull=not success)


def mark_state(
    cursor: Cursor, *, flow_id: int, document: FlowDocument, contact_ids: Sequence[int], now: dt.datetime
) -> int:
    """Note success for those held out of these contacts for whom a state criterion holds now; return how many."""
    expression, params = success_sql(document, now=now)
    if expression == NEVER or not contact_ids:
        return 0
    tenant = require_tenant_id()
    cursor.execute(
        f"""
        UPDATE participants_heldout SET success_at = %s
        WHERE tenant_id = %s AND flow_id = %s AND success_at IS NULL AND held_at <= %s
          AND contact_id = ANY(ARRAY({those_who(expression)}))
        """,
        [now, tenant, flow_id, now, list(contact_ids), tenant, *params],
    )
    return cursor.rowcount


def mark_events(
    cursor: Cursor, *, flow_id: int, contact_ids: Sequence[int], moments: Sequence[dt.datetime]
) -> int:
    """Note success for those held out of these contacts, each with the first of its moments since; return how many.

    A contact may come several times. What happened up to the holding out counts for nothing, as with who enters.
    """
    cursor.execute(
        """
        UPDATE participants_heldout h SET success_at = met.at
        FROM (
            SELECT mine.id, min(v.at) AS at FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(contact_id, at)
            JOIN LATERAL (
                SELECT id, held_at FROM participants_heldout
                WHERE tenant_id = %s AND flow_id = %s AND contact_id = v.contact_id AND success_at IS NULL OFFSET 0
            ) mine ON v.at > mine.held_at
            GROUP BY mine.id
        ) met
        WHERE h.tenant_id = %s AND h.id = met.id
        """,
        [list(contact_ids), list(moments), require_tenant_id(), flow_id, require_tenant_id()],
    )
    return cursor.rowcount


def judge_all(cursor: Cursor, *, flow_id: int, document: FlowDocument, now: dt.datetime) -> None:
    """Judge everyone held out by the state criteria: the day is another one, or the criteria are. About 0.05 s for
    SLICE of them."""
    after = 0
    while True:
        rows = HeldOut.objects.filter(flow_id=flow_id, success_at=None, pk__gt=after).order_by("pk")
        part = list(rows.values_list("pk", "contact_id")[:SLICE])
        contacts = [contact for _, contact in part]
        mark_state(cursor, flow_id=flow_id, document=document, contact_ids=contacts, now=now)
        if len(part) < SLICE:
            return
        after = part[-1][0]
