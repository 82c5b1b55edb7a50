"""The verdict on contacts that are suggested for a flow: one SELECT, from which enrolment writes and `why` reads.

The order of the rules (docs/state-machines.md): enrolment open, filter, exclusion list, active already, once only,
held out as control group, loop. Only the rules that a flow has are asked. Must not write.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg

from core.tenancy import require_tenant_id
from crm.criteria.among import these
from crm.criteria.explain import first_failure
from crm.criteria.schema import Criteria
from crm.criteria.sql import CompiledCriteria, compile_criteria
from flows.document import FlowDocument, FlowSettings
from flows.models import Flow
from participants.models import Suggestion

Verdict = Suggestion.Verdict

WHOLE = "*"
LOOP_ENTRIES = 3
LOOP_WINDOW = dt.timedelta(hours=24)
# Roads on which flows lead people themselves; only these can make a loop.
FLOW_SOURCES = ("onward", "flow_event")


@dataclass(frozen=True, slots=True)
class Source:
    """Where suggestions come from: `manual`, `selection`, `trigger`, `onward`, `flow_event`, `api`; with the id of
    the selection, event or flow, and the user who did it."""

    kind: str
    id: int | None = None
    actor_id: int | None = None


@dataclass(frozen=True, slots=True)
class Judging:
    """A SELECT of contact_id, verdict and seen (jsonb: the values that the rule saw, as the pages read them; NULL for
    the enrolled, and for the filter, whose values `explain` finds). Takes the contacts' ids as %(contacts)s."""

    sql: str
    params: Mapping[str, Any]


# The first rule that fails, in the order of the rules. OFFSET 0 keeps the rules from being asked again for the values.
# What is known of a contact comes together as facts of one shape in one GROUP BY and not by joins: a planner that takes
# the flow for empty (it was, when the statistics were made) would walk through all its people once a contact.
_JUDGED = """
SELECT j.contact_id, j.verdict, CASE j.verdict {seen} END AS seen
FROM (
    SELECT f.contact_id, CASE {whens} ELSE 'enrolled' END AS verdict {columns}
    FROM (
        SELECT contact_id, bool_and(passes) AS passes, min(selection) AS selection, max(active) AS active,
               max(earlier) AS earlier, coalesce(sum(by_flows), 0) AS by_flows
        FROM ({facts}) facts
        GROUP BY contact_id HAVING count(passes) > 0
    ) f
    OFFSET 0
) j
"""
# One fact for each contact that exists, and one for each row that a rule looks into. All have the same columns.
_CONTACTS = """
SELECT c.id AS contact_id, {rule} AS passes, NULL::bigint AS selection, NULL::bigint AS active,
       NULL::bigint AS earlier, 0 AS by_flows
FROM {source}
WHERE c.deleted_at IS NULL
"""
_EXCLUSIONS = """
SELECT contact_id, NULL, selection_id, NULL, NULL, 0 FROM crm_selectionmember
WHERE tenant_id = %(tenant)s AND selection_id = ANY(%(exclusions)s::bigint[])
  AND contact_id = ANY(%(contacts)s::bigint[])
"""
_ACTIVE = """
SELECT contact_id, NULL, NULL, id, NULL, 0 FROM participants_participant
WHERE tenant_id = %(tenant)s AND flow_id = %(flow)s AND contact_id = ANY(%(contacts)s::bigint[]) AND status = 'active'
"""
_EARLIER = """
SELECT contact_id, NULL, NULL, NULL, id,
       CASE WHEN source = ANY(%(flow_sources)s::text[]) AND enrolled_at > %(since)s THEN 1 ELSE 0 END
FROM participants_participant
WHERE tenant_id = %(tenant)s AND flow_id = %(flow)s AND contact_id = ANY(%(contacts)s::bigint[])
"""
_SHARE = "('x' || substr(md5(%(flow)s::text || ':' || f.contact_id::text), 1, 8))::bit(32)::bigint %% 100"


def judging(
    *,
    flow: Flow,
    document: FlowDocument,
    source: Source,
    now: dt.datetime,
    closed: Mapping[str, str] | None = None,
) -> Judging:
    """Return the SELECT for a flow and the road that its suggestions come by. Contacts that do not exist or are erased
    are left out. `closed` says why enrolment was closed when they were suggested, whatever it is now."""
    settings = document.settings
    rule, params = _named(compile_criteria(document.filter or Criteria(), now=now, zone=settings.zone))
    rules, looks = _rules(settings, by_flow=source.kind in FLOW_SOURCES)
    rules = [
        _Rule(Verdict.NOT_OPEN, "NOT %(opened)s", WHOLE, "%(closed)s::jsonb"),
        _Rule(Verdict.FILTER, "NOT f.passes", "", ""),
        *rules,
    ]
    told = [rule for rule in rules if rule.named]
    source_of = these(rule) % ("%(contacts)s", "%(tenant)s")
    sql = _JUDGED.format(
        whens=" ".join(f"WHEN {rule.fails} THEN '{rule.verdict}'" for rule in rules),
        columns="".join(f", {rule.saw} AS {rule.verdict}" for rule in told),
        seen=" ".join(f"WHEN '{rule.verdict}' THEN {rule.kept}" for rule in told),
        facts="UNION ALL".join([_CONTACTS.format(rule=f"({rule})", source=source_of), *looks]),
    )
    return Judging(
        sql,
        {
            **params,
            "opened": closed is None and is_open(flow, now=now),
            "closed": json.dumps(closed or why_closed(flow, settings, now=now)),
            "flow": flow.pk,
            "tenant": require_tenant_id(),
            "exclusions": list(settings.exclusions),
            "flow_sources": list(FLOW_SOURCES),
            "since": now - LOOP_WINDOW,
            "share": settings.control_share,
            "entries": LOOP_ENTRIES,
        },
    )


def explain(
    cursor: psycopg.Cursor[Any], *, document: FlowDocument, contact_ids: Sequence[int], now: dt.datetime
) -> dict[int, Mapping[str, Any]]:
    """Return the values of the filter's first failing line, by contact; one object for those with the same answer."""
    if not document.filter or not contact_ids:
        return {}
    found = first_failure(
        document.filter, contact_ids=contact_ids, now=now, zone=document.settings.zone, cursor=cursor
    )
    told = {key: failure.as_values() for key, failure in {id(one): one for one in found.values()}.items()}
    return {contact_id: told[id(failure)] for contact_id, failure in found.items()}


def judge(
    cursor: psycopg.Cursor[Any],
    *,
    flow: Flow,
    document: FlowDocument,
    contact_id: int,
    source: Source,
    now: dt.datetime,
) -> tuple[str, Mapping[str, Any] | None] | None:
    """Return the verdict that one contact would get and the values it saw; None for an unknown or erased one."""
    made = judging(flow=flow, document=document, source=source, now=now)
    cursor.execute(made.sql, {**made.params, "contacts": [contact_id]})
    row = cursor.fetchone()
    if row is None:
        return None
    _, verdict, seen = row
    if verdict == Verdict.FILTER:
        seen = explain(cursor, document=document, contact_ids=[contact_id], now=now).get(contact_id)
    return verdict, seen


def is_open(flow: Flow, *, now: dt.datetime) -> bool:
    """Say whether enrolment is open: running or paused, and its end not passed."""
    return flow.status != Flow.Status.NOT_RUNNING and not (
        flow.enrolment_ends_at and now >= flow.enrolment_ends_at
    )


def why_closed(flow: Flow, settings: FlowSettings, *, now: dt.datetime) -> dict[str, str]:
    """Return why enrolment is closed: the flow's status and since when, or when enrolment ended; in the flow's zone."""
    if flow.status == Flow.Status.NOT_RUNNING:
        since = flow.status_since.astimezone(settings.zone)
        return {"status": flow.status, "since": since.isoformat(timespec="minutes")}
    ended = flow.enrolment_ends_at if not is_open(flow, now=now) else None
    return {
        "status": flow.status,
        **({"ended": ended.astimezone(settings.zone).isoformat(timespec="minutes")} if ended else {}),
    }


def _named(rule: CompiledCriteria) -> tuple[str, dict[str, Any]]:
    """Return the filter's SQL with its parameters by name, to stand among others."""
    number = count()

    def name(found: re.Match[str]) -> str:
        return found[0] if found[0] == "%%" else f"%(rule_{next(number)})s"

    return re.sub("%%|%s", name, rule.sql), {f"rule_{i}": value for i, value in enumerate(rule.params)}


@dataclass(frozen=True, slots=True)
class _Rule:
    """SQL that is true where the rule fails, and of the value it saw, with the name that it is kept under (WHOLE: the
    value is the object that is kept)."""

    verdict: Verdict
    fails: str
    named: str
    saw: str

    @property
    def kept(self) -> str:
        """The SQL of what is kept with the verdict."""
        column = f"j.{self.verdict}"
        return column if self.named == WHOLE else f"jsonb_build_object('{self.named}', {column})"


def _rules(settings: FlowSettings, *, by_flow: bool) -> tuple[list[_Rule], list[str]]:
    """Return the rules after the filter, and the SELECTs of the facts that they look into."""
    rules = []
    looks = [_ACTIVE]
    if settings.exclusions:
        looks.append(_EXCLUSIONS)
        rules.append(_Rule(Verdict.EXCLUDED, "f.selection IS NOT NULL", "selection", "f.selection"))
    rules.append(_Rule(Verdict.ACTIVE, "f.active IS NOT NULL", "participant", "f.active"))
    if settings.once_only or by_flow:
        looks.append(_EARLIER)
    if settings.once_only:
        rules.append(_Rule(Verdict.ONCE, "f.earlier IS NOT NULL", "participant", "f.earlier"))
    if settings.control_share:
        rules.append(_Rule(Verdict.CONTROL, f"{_SHARE} < %(share)s", "share", "%(share)s::int"))
    if by_flow:
        rules.append(_Rule(Verdict.LOOP, "f.by_flows >= %(entries)s", "entries", "f.by_flows"))
    return rules, looks
