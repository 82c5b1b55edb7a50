"""Consent and subscriptions. For consents the newest `at` wins, whatever the order of writing; the log keeps all.

The `write_*` functions are set-based and take a cursor, for imports, forms and links; the verbs are for one contact.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import transaction

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.events import NewEvent, Origin, changes_data, record_events
from crm.models import ConsentPurpose
from crm.models.consent import E_MARKETING


@dataclass(frozen=True, slots=True)
class NewConsent:
    """A consent given, or withdrawn (`given` False), at a moment. `told_at` is when it became known here, where that
    was later: what listens to events hears of it then."""

    contact_id: int
    given: bool
    at: dt.datetime
    told_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows later that a consent was given: the words beside the box, and when a mail confirmed it, if one did."""

    wording: str = ""
    confirmed_at: dt.datetime | None = None


NO_PROOF = Proof()


def purpose_named(key: str) -> ConsentPurpose:
    """Return a purpose of the tenant; e-marketing is always there."""
    return ConsentPurpose.objects.get(key=key)


@transaction.atomic
def record_consent(
    *,
    contact_id: int,
    given: bool,
    at: dt.datetime,
    legal_basis: str = "",
    source: str = "",
    purpose: str = E_MARKETING,
    origin: Origin = Origin.USER,
    actor_id: int | None = None,
    flow_id: int | None = None,
) -> None:
    """Give or withdraw consent for a purpose (its key). An older record than the one kept is only logged."""
    with raw_cursor() as cursor:
        write_consents(
            cursor,
            rows=[NewConsent(contact_id, given, at)],
            purpose=purpose_named(purpose),
            legal_basis=legal_basis,
            source=source,
            origin=origin,
            actor_id=actor_id,
            flow_id=flow_id,
        )


# The statement sees the table as it was before it: that is what was given until now.
_UPSERT = """
WITH written AS (
INSERT INTO crm_consent AS kept (tenant_id, purpose_id, legal_basis, source, contact_id, given, at)
SELECT %s::bigint, %s::bigint, %s::text, %s::text, v.contact_id, v.given, v.at FROM (
    SELECT DISTINCT ON (contact_id) contact_id, given, at
    FROM unnest(%s::bigint[], %s::boolean[], %s::timestamptz[]) WITH ORDINALITY AS g (contact_id, given, at, place)
    ORDER BY contact_id, at DESC, place DESC
) v
ON CONFLICT (tenant_id, contact_id, purpose_id) DO UPDATE
SET given = excluded.given, legal_basis = excluded.legal_basis, source = excluded.source, at = excluded.at
WHERE excluded.at >= kept.at
RETURNING contact_id, given
)
SELECT w.contact_id, w.given, coalesce(k.given, FALSE) FROM written w
LEFT JOIN crm_consent k ON k.tenant_id = %s::bigint AND k.contact_id = w.contact_id AND k.purpose_id = %s::bigint
"""
_LOG = """
INSERT INTO crm_consentchange
    (tenant_id, purpose_id, legal_basis, source, actor_id, wording, confirmed_at, contact_id, given, at)
SELECT %s::bigint, %s::bigint, %s::text, %s::text, %s::bigint, %s::text, %s::timestamptz, v.*
FROM unnest(%s::bigint[], %s::boolean[], %s::timestamptz[]) v
"""


def write_consents(
    cursor: psycopg.Cursor[Any],
    *,
    rows: Sequence[NewConsent],
    purpose: ConsentPurpose,
    legal_basis: str,
    source: str,
    origin: Origin,
    actor_id: int | None = None,
    flow_id: int | None = None,
    quiet: frozenset[int] = frozenset(),
    proof: Proof = NO_PROOF,
) -> None:
    """Write many records of one purpose: three statements. `quiet` contacts are too new for anyone to wait on."""
    if not rows:
        return
    arrays = [[row.contact_id for row in rows], [row.given for row in rows], [row.at for row in rows]]
    common = [require_tenant_id(), purpose.pk, legal_basis, source]
    cursor.execute(_UPSERT, [*common, *arrays, require_tenant_id(), purpose.pk])
    counting = cursor.fetchall()
    cursor.execute(_LOG, [*common, actor_id, proof.wording[:250], proof.confirmed_at, *arrays])
    moments = {row.contact_id: row.told_at or row.at for row in rows}
    # What is alike shares one object, which is written as JSON once.
    told = {
        (given, before): {
            "purpose": purpose.name,
            "legal_basis": legal_basis,
            "source": source,
            **_changed(f"consent.{purpose.key}", before, given),
        }
        for given in (True, False)
        for before in (True, False)
    }
    record_events(
        [
            NewEvent(
                "consent.given" if given else "consent.withdrawn",
                contact_id,
                moments[contact_id],
                origin,
                object_id=purpose.pk,
                object_key=purpose.key,
                data=told[given, before],
                actor_id=actor_id,
                flow_id=flow_id,
                quiet=contact_id in quiet,
            )
            for contact_id, given, before in sorted(counting)
        ],
        cursor=cursor,
    )


def _changed(key: str, before: bool, after: bool) -> dict[str, Any]:
    """Return the line of a change, as contact.updated has them; none where a record only confirms another."""
    return {} if before == after else changes_data([(key, before, after)])


@transaction.atomic
def opt_out(
    *,
    contact_id: int,
    type_id: int,
    at: dt.datetime,
    source: str = "",
    origin: Origin = Origin.USER,
    actor_id: int | None = None,
    message_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> bool:
    """Opt a contact out of a subscription type; say whether that changed anything (twice is once).

    An unsubscribe link passes its message, which stays with the event.
    """
    with raw_cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_subscriptionoptout (tenant_id, contact_id, type_id, source, at) "
            "SELECT c.tenant_id, c.id, t.id, %s::text, %s::timestamptz FROM crm_contact c "
            "JOIN crm_subscriptiontype t ON t.tenant_id = c.tenant_id AND t.id = %s::bigint "
            "WHERE c.tenant_id = %s::bigint AND c.id = %s::bigint ON CONFLICT DO NOTHING RETURNING id",
            [source[:120], at, type_id, require_tenant_id(), contact_id],
        )
        changed = cursor.fetchone() is not None
        if changed:
            event = NewEvent(
                "unsubscribed",
                contact_id,
                at,
                origin,
                object_id=type_id,
                data={"source": source, **(data or {}), **_changed(f"subscription.{type_id}", True, False)},
                actor_id=actor_id,
                message_id=message_id,
            )
            record_events([event], cursor=cursor)
    return changed


@transaction.atomic
def opt_in(
    *,
    contact_id: int,
    type_id: int,
    at: dt.datetime,
    source: str = "",
    origin: Origin = Origin.USER,
    actor_id: int | None = None,
) -> bool:
    """Take an opt-out back; say whether there was one."""
    with raw_cursor() as cursor:
        cursor.execute(
            "DELETE FROM crm_subscriptionoptout "
            "WHERE tenant_id = %s::bigint AND contact_id = %s::bigint AND type_id = %s::bigint RETURNING id",
            [require_tenant_id(), contact_id, type_id],
        )
        changed = cursor.fetchone() is not None
        if changed:
            event = NewEvent(
                "subscribed",
                contact_id,
                at,
                origin,
                object_id=type_id,
                data={"source": source, **_changed(f"subscription.{type_id}", False, True)},
                actor_id=actor_id,
            )
            record_events([event], cursor=cursor)
    return changed
