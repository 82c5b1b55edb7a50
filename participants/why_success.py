"""Why somebody met the flow's success, or has not yet: each criterion with the value that was seen.

An event is known for good by the moment of the mark, a state by what was kept then (participants.success_seen), told by
the revision that judged. Reads only; some ten queries, whatever the flow's size.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.criteria.explain import first_failure
from crm.criteria.fields import fields_by_key
from crm.criteria.schema import Criteria
from crm.criteria.seen import line_key, looked_at
from crm.criteria.sql import FROM, lines_of
from crm.models import Contact, Event
from crm.queries.timeline import entries
from flows.checking import check_context
from flows.document import FlowDocument, SuccessCriterion
from flows.event_filter import EventFilter
from flows.models import Flow
from flows.success.table import SUCCESS_KINDS
from participants.engine.route import route_of
from participants.models import Participant


@dataclass(frozen=True, slots=True)
class CriterionSeen:
    """A success criterion in words, whether it is what counted, and what was seen."""

    text: str
    met: bool
    seen: str


def success_seen(*, flow: Flow, participant: Participant, now: dt.datetime) -> list[CriterionSeen]:
    """Return what counted as the success of a participant; of one who is in the flow without it, every criterion with
    what keeps it from being met. Nothing for those who left without success."""
    if participant.success_at is None and participant.status != Participant.Status.ACTIVE:
        return []
    kept = (participant.success_values or {}) if participant.success_at is not None else {}
    document = route_of(flow_id=flow.pk, revision=kept.get("revision") or flow.revision).document
    contact = Contact.objects.filter(pk=participant.contact_id, deleted_at=None).first()
    if not document.success or contact is None:
        return []
    context = check_context(document)
    texts = [SUCCESS_KINDS[one.kind].summary(one, context) for one in document.success]
    if participant.success_at is not None and (
        found := _by_event(document, texts, participant, contact, participant.success_at)
    ):
        return found
    if kept:
        return _as_seen(document, texts, kept)
    states = [_state(one) for one in document.success]
    judged = [
        _judged(text, criteria, contact.pk, document, now)
        for text, criteria in zip(texts, states, strict=True)
    ]
    if participant.success_at is None:
        return judged
    return [one for one in judged if one.met] or [
        CriterionSeen("What counted then does not hold any more, or is no criterion any more", True, "")
    ]


def _as_seen(document: FlowDocument, texts: Sequence[str], kept: Mapping[str, Any]) -> list[CriterionSeen]:
    """Return the state criteria that held at the moment of the mark, with the values of that moment."""
    found = []
    for text, one in zip(texts, document.success, strict=True):
        criteria = _state(one)
        if str(one.id) in kept.get("met", ()) and criteria is not None:
            seen = kept.get("seen", {})
            values = {line_key(line): seen.get(line_key(line)) for line in lines_of(criteria)}
            found.append(CriterionSeen(text, True, _told("then", criteria, values)))
    return found or [CriterionSeen("What counted is not kept any more", True, "")]


def _state(criterion: SuccessCriterion) -> Criteria | None:
    kind = SUCCESS_KINDS[criterion.kind]
    return kind.state(criterion) if kind.is_state else None


def _by_event(
    document: FlowDocument,
    texts: Sequence[str],
    participant: Participant,
    contact: Contact,
    met_at: dt.datetime,
) -> list[CriterionSeen]:
    """Return the event criteria that were met at the moment of the mark, with the event in words."""
    rules = [
        (text, SUCCESS_KINDS[one.kind].event_filter(one))
        for text, one in zip(texts, document.success, strict=True)
        if not SUCCESS_KINDS[one.kind].is_state
    ]
    if not rules:
        return []
    brought_by = (participant.event_data or {}).get("event_id")
    events = [event for event in _events(rules, contact, met_at) if event.pk != brought_by]
    found = []
    for text, rule in rules:
        mine = [e for e in events if _takes(rule, e, contact)]
        told = (" · ".join((entry.title, *entry.details[:3])) for entry in entries(mine[:1]))
        found += [CriterionSeen(text, True, seen) for seen in told]
    return found


def _events(rules: Sequence[tuple[str, EventFilter]], contact: Contact, met_at: dt.datetime) -> list[Event]:
    """Return what happened then to the contact, and to its company where a criterion asks for that."""
    kinds = sorted({kind for _, rule in rules for kind in (rule.kind, *rule.also)})
    then = Event.objects.filter(day=met_at.astimezone(dt.UTC).date(), at=met_at, kind__in=kinds)
    found = list(then.filter(contact_id=contact.pk).order_by("pk")[:20])
    if contact.company_id is not None and any(rule.of_company for _, rule in rules):
        others = then.filter(company_id=contact.company_id).exclude(contact_id=contact.pk)
        found += list(others.order_by("pk")[:20])
    return found


def _takes(rule: EventFilter, event: Event, contact: Contact) -> bool:
    if event.contact_id != contact.pk and not rule.of_company:
        return False
    return rule.takes(event.kind, event.object_id, event.object_key, event.origin, event.data)


def _judged(
    text: str, criteria: Criteria | None, contact_id: int, document: FlowDocument, now: dt.datetime
) -> CriterionSeen:
    if criteria is None or criteria.is_empty:
        return CriterionSeen(text, False, "" if criteria else "has not happened since entering")
    zone = document.settings.zone
    failure = first_failure(criteria, contact_ids=[contact_id], now=now, zone=zone).get(contact_id)
    if failure is not None:
        seen = f"“{failure.seen}”" if failure.seen else "empty"
        return CriterionSeen(text, False, f"“{failure.rule}” does not hold: the value is {seen}")
    return CriterionSeen(text, True, _values(criteria, contact_id, document, now))


def _values(criteria: Criteria, contact_id: int, document: FlowDocument, now: dt.datetime) -> str:
    """Return what the criteria look at, as it is now: `Category: “Customers”`."""
    looked = looked_at([criteria], now=now, zone=document.settings.zone)
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(looked.columns)} FROM {FROM} WHERE c.tenant_id = %s AND c.id = %s",
            [*looked.params, require_tenant_id(), contact_id],
        )
        row = cursor.fetchone() or ()
    return _told("now", criteria, dict(zip(looked.keys, row, strict=False)))


def _told(when: str, criteria: Criteria, values: Mapping[str, Any]) -> str:
    """Return values in words, with the labels of their fields: `then Category: “Customers”`."""
    lines = {line_key(line): line.field for line in lines_of(criteria)}
    fields = fields_by_key(lines.values())
    told = [
        f"{fields[lines[key]].label}: {f'“{value}”' if value not in (None, '') else 'empty'}"
        for key, value in values.items()
        if lines.get(key) in fields
    ]
    return f"{when} {', '.join(told)}" if told else ""
