"""`bench criteria`: who of many contacts matches a filter over company, custom field, membership and engagement.

Measured against the same question written by hand as joins and aggregates, in the same run, on the same rows, as the
app's role under row-level security. Both must find the same people.
"""

from __future__ import annotations

import datetime as dt
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max, Min

from core.clock import now
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id, tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.sql import FROM, compile_criteria
from crm.models import Company, Contact, CustomField, Selection
from trial.bench.engine import WrongResult
from trial.bench.world import AT_ONCE, analyze, make_contacts, make_tenant

RUNS = 3
EMAIL = 1_000_001
DAYS = 30
ZONE = ZoneInfo("UTC")

# One contact in ten has a company of each country, every third a tier, every other one is a member, and each has
# opened between none and four emails in the last sixty days. All but the companies in slices of contacts.
_COMPANIES = """
INSERT INTO crm_company (tenant_id, name, name_norm, phone, website, country, created_at, updated_at)
SELECT %(tenant)s, 'Company ' || n, 'company ' || n, '', '', (ARRAY['NO','SE','DE','GB'])[1 + n %% 4], %(now)s, %(now)s
FROM generate_series(1, %(companies)s) n
"""
_EMPLOYED = """
UPDATE crm_contact SET company_id = %(company)s + id %% %(companies)s
WHERE tenant_id = %(tenant)s AND id BETWEEN %(low)s AND %(high)s
"""
_TIERS = """
INSERT INTO crm_contactfieldvalue (tenant_id, contact_id, field_id, value_text, value_norm)
SELECT %(tenant)s, id, %(field)s, (ARRAY['Gold','Silver','Bronze'])[1 + id %% 3],
       (ARRAY['gold','silver','bronze'])[1 + id %% 3]
FROM crm_contact WHERE tenant_id = %(tenant)s AND id BETWEEN %(low)s AND %(high)s AND id %% 4 <> 0
"""
_MEMBERS = """
INSERT INTO crm_selectionmember (tenant_id, selection_id, contact_id, added_at)
SELECT %(tenant)s, %(selection)s, id, %(now)s FROM crm_contact
WHERE tenant_id = %(tenant)s AND id BETWEEN %(low)s AND %(high)s AND id %% 2 = 0
"""
_OPENS = """
INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, origin, object_id, object_key, data)
SELECT %(tenant)s, (%(now)s::timestamptz - d)::date, %(now)s::timestamptz - d, 'message.opened', c.id, 'link',
       %(email)s + n %% 3, '', '{}'::jsonb
FROM crm_contact c CROSS JOIN generate_series(1, 4) n
CROSS JOIN LATERAL (SELECT make_interval(days => ((c.id * 7 + n * 11) %% 60)::int) AS d) t
WHERE c.tenant_id = %(tenant)s AND c.id BETWEEN %(low)s AND %(high)s AND n <= c.id %% 5
"""
# The floor: each part as a set of its own, joined.
_FLOOR = """
WITH gold AS (
    SELECT contact_id FROM crm_contactfieldvalue
    WHERE tenant_id = %(tenant)s AND field_id = %(field)s AND value_norm = 'gold'
), members AS (
    SELECT contact_id FROM crm_selectionmember WHERE tenant_id = %(tenant)s AND selection_id = %(selection)s
), openers AS (
    SELECT contact_id FROM crm_event
    WHERE tenant_id = %(tenant)s AND kind = 'message.opened' AND at >= %(since)s AND day >= %(since)s::date
    GROUP BY contact_id HAVING count(*) >= 2
)
SELECT count(*) FROM crm_contact c
LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id
LEFT JOIN gold g ON g.contact_id = c.id
LEFT JOIN members m ON m.contact_id = c.id
LEFT JOIN openers o ON o.contact_id = c.id
WHERE c.tenant_id = %(tenant)s AND ((co.country = ANY('{NO,SE}') AND g.contact_id IS NOT NULL)
      OR (m.contact_id IS NOT NULL AND o.contact_id IS NOT NULL))
"""


@dataclass(frozen=True, slots=True)
class Crowd:
    """A throw-away tenant full of contacts, and what the SQL of this module names."""

    tenant_id: int
    field_id: int
    selection_id: int
    values: dict[str, Any]


def make_crowd(*, contacts: int, moment: dt.datetime) -> Crowd:
    """Build the tenant and refresh the planner's statistics."""
    tenant, _ = make_tenant()
    with tenant_scope(tenant.pk):
        field = CustomField.objects.create(on="contact", key="tier", name="Tier", type="text")
        make_contacts(contacts, name="Everyone")
        club = Selection.objects.create(name="Club", created_at=moment)
        values: dict[str, Any] = {
            "tenant": tenant.pk, "now": moment, "number": contacts, "field": field.pk, "selection": club.pk,
            "email": EMAIL, "companies": max(contacts // 20, 4),
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_COMPANIES, values)
            # One statement's ids follow each other: the server is the benchmark's own.
            values["company"] = Company.objects.aggregate(first=Min("pk"))["first"]
            for low, high in _slices():
                for sql in (_EMPLOYED, _TIERS, _MEMBERS, _OPENS):
                    cursor.execute(sql, {**values, "low": low, "high": high})
    analyze()
    return Crowd(tenant.pk, field.pk, club.pk, values)


def _slices() -> Iterator[tuple[int, int]]:
    """Yield ranges of ids that hold the tenant's contacts."""
    ends = Contact.objects.aggregate(low=Min("pk"), high=Max("pk"))
    for low in range(ends["low"], ends["high"] + 1, AT_ONCE):
        yield low, low + AT_ONCE - 1


def criteria(*, contacts: int) -> dict[str, Any]:
    """Return the figures of one run; raises WrongResult where the two answers differ."""
    moment = now()
    crowd = make_crowd(contacts=contacts, moment=moment)
    with tenant_scope(crowd.tenant_id):
        ours, seconds = _best(lambda: _ours(_question(crowd.selection_id), moment))
        since = dt.datetime.combine(moment.date() - dt.timedelta(days=DAYS), dt.time(), dt.UTC)
        floor, floor_seconds = _best(lambda: _floor({**crowd.values, "since": since}))
    if ours != floor or not 0 < ours < contacts:
        raise WrongResult(f"{ours} contacts match, {floor} by hand, of {contacts}")
    return {
        "contacts": contacts,
        "matching": ours,
        "seconds": round(seconds, 4),
        "contacts_per_second": round(contacts / seconds),
        "floor_seconds": round(floor_seconds, 4),
        "ratio": round(floor_seconds / seconds, 3),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _question(selection: int) -> Criteria:
    """Gold ones of Nordic companies, or members who opened twice lately."""
    nordic = Line(field="company.country", operator="one_of", values=("NO", "SE"))
    gold = Line(field="contact.custom.tier", operator="is", values=("GOLD",))
    member = Line(field="contact.selections", operator="one_of", values=(selection,))
    opened = Line(field="event.opened", operator="at_least", values=(2,), days=DAYS)
    return Criteria(groups=(Group(lines=(nordic, gold)), Group(lines=(member, opened))))


def _ours(question: Criteria, moment: dt.datetime) -> int:
    """Compile and count, as the live count does."""
    compiled = compile_criteria(question, now=moment, zone=ZONE)
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {FROM} WHERE c.tenant_id = %s::bigint AND {compiled.sql}",
            [require_tenant_id(), *compiled.params],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _floor(values: dict[str, Any]) -> int:
    with raw_cursor() as cursor:
        cursor.execute(_FLOOR, values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _best(question: Callable[[], int]) -> tuple[int, float]:
    """Ask RUNS times; return the answer and the seconds of the fastest."""
    best, answer = float("inf"), 0
    for _ in range(RUNS):
        start = time.perf_counter()
        answer = question()
        best = min(best, time.perf_counter() - start)
    return answer, best
