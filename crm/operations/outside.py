"""Events from outside: what other systems say of contacts, recorded set-based, each idempotency key once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import psycopg
from django.db import transaction

from core.db.cursors import Row, raw_cursor
from core.tenancy import require_tenant_id
from crm.events import NewEvent, Origin, record_events
from crm.queries.who import Found, find_contacts

MOST_EVENTS = 1_000
MOST_NAME = 80
MOST_DATA = 8_192


class Outcome(StrEnum):
    """What became of an event."""

    RECORDED = "recorded"
    REPEATED = "repeated"
    UNKNOWN_CONTACT = "unknown_contact"
    KEY_REUSED = "key_reused"


@dataclass(frozen=True, slots=True)
class OutsideEvent:
    """An event about a contact (id or email address). `key` makes it safe to post again; "" is no key."""

    name: str
    contact: int | str
    at: dt.datetime | None = None
    key: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What tells a repetition from another event under the same key."""
        at = self.at.isoformat() if self.at else None
        text = json.dumps([self.name, self.contact, at, self.data], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def record_outside(*, events: Sequence[OutsideEvent], now: dt.datetime) -> list[Outcome]:
    """Record events of the open tenant scope and say what became of each. Six statements, whatever their number.

    An event without `at` happened now. Names and data are as crm.api checked them: at most MOST_NAME characters and
    MOST_DATA bytes of JSON. A contact that is not known uses up no key: post it again when there is one.
    """
    with raw_cursor() as cursor:
        people = find_contacts(cursor, [event.contact for event in events])
        outcomes = [Outcome.RECORDED if found else Outcome.UNKNOWN_CONTACT for found in people]
        _use_keys(cursor, events, outcomes, now)
        pairs = zip(events, people, outcomes, strict=True)
        fresh = [(event, found) for event, found, outcome in pairs if found and outcome == Outcome.RECORDED]
        _keep_names(cursor, {event.name for event, _ in fresh}, now)
        record_events([_new_event(event, found, now) for event, found in fresh], cursor=cursor)
    return outcomes


def _new_event(event: OutsideEvent, found: Found, now: dt.datetime) -> NewEvent:
    contact_id, company_id = found
    return NewEvent(
        "outside",
        contact_id,
        event.at or now,
        Origin.API,
        company_id=company_id,
        object_key=event.name,
        data={"name": event.name, "data": event.data},
    )


def _use_keys(
    cursor: psycopg.Cursor[Row], events: Sequence[OutsideEvent], outcomes: list[Outcome], now: dt.datetime
) -> None:
    """Mark as repeated, or as a key reused for something else, what has its key from before or earlier in the batch."""
    keyed = [i for i, event in enumerate(events) if event.key and outcomes[i] == Outcome.RECORDED]
    first: dict[str, int] = {}
    for i in keyed:
        first.setdefault(events[i].key, i)
    if not first:
        return
    fresh, before = _insert_keys(cursor, {key: events[i].digest for key, i in first.items()}, now)
    for i in keyed:
        key = events[i].key
        if key in fresh and first[key] == i:
            continue
        known = events[first[key]].digest if key in fresh else before[key]
        outcomes[i] = Outcome.REPEATED if known == events[i].digest else Outcome.KEY_REUSED


def _insert_keys(
    cursor: psycopg.Cursor[Row], digests: Mapping[str, str], now: dt.datetime
) -> tuple[set[str], dict[str, str]]:
    """Return the keys that were new, and the digests of the others. In one order, so that two batches never wait for
    each other; who comes second waits for the first to commit and then finds its keys used."""
    keys = sorted(digests)
    cursor.execute(
        "INSERT INTO crm_outsidekey (tenant_id, key, digest, at) "
        "SELECT %s::bigint, v.key, v.digest, %s::timestamptz FROM unnest(%s::text[], %s::text[]) v (key, digest) "
        "ON CONFLICT DO NOTHING RETURNING key",
        [require_tenant_id(), now, keys, [digests[key] for key in keys]],
    )
    fresh = {row[0] for row in cursor}
    rest = [key for key in keys if key not in fresh]
    if not rest:
        return fresh, {}
    cursor.execute(
        "SELECT key, digest FROM crm_outsidekey WHERE tenant_id = %s::bigint AND key = ANY(%s::text[])",
        [require_tenant_id(), rest],
    )
    return fresh, {row[0]: row[1] for row in cursor}


def _keep_names(cursor: psycopg.Cursor[Row], names: set[str], now: dt.datetime) -> None:
    """Remember the names, so that triggers can offer them. Looks first: a name is new once."""
    cursor.execute(
        "SELECT v.name FROM unnest(%s::text[]) v (name) WHERE NOT EXISTS "
        "(SELECT 1 FROM crm_outsidename n WHERE n.tenant_id = %s::bigint AND n.name = v.name)",
        [sorted(names), require_tenant_id()],
    )
    new = sorted(row[0] for row in cursor)
    if new:
        cursor.execute(
            "INSERT INTO crm_outsidename (tenant_id, name, first_at) "
            "SELECT %s::bigint, v.name, %s::timestamptz FROM unnest(%s::text[]) v (name) ON CONFLICT DO NOTHING",
            [require_tenant_id(), now, new],
        )
