"""Guard 8: of several contacts with one address exactly one gets the mail of a step, whatever the order of work.

The address belongs to the contact whose participant got this step's mail last; before anyone did, to the active
participant that was enrolled first. Somebody whom another batch is moving at this moment may leave, or may just have
got the mail: whoever shares an address with such a one is put off for a moment, and nobody waits for a lock.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from participants.engine.moving import Moving

# How long whoever shares an address with somebody in another batch is put off: a batch takes about a second.
SECONDS = (1.0, 4.0)
ADDRESS_IN_USE = "another contact with the same email address is being judged at this moment"

# Each row by a look-up of its own key (OFFSET 0 keeps it one), whatever the statistics say, as in engine.guards.
_MATES = """
SELECT DISTINCT p2.id
FROM crm_contact c
JOIN LATERAL (
    SELECT id, tenant_id FROM crm_contact
    WHERE tenant_id = c.tenant_id AND email_norm = c.email_norm AND email_norm <> '' AND id <> c.id OFFSET 0
) c2 ON TRUE
JOIN LATERAL (
    SELECT id FROM participants_participant
    WHERE tenant_id = c2.tenant_id AND flow_id = %(flow)s AND contact_id = c2.id AND status = 'active' OFFSET 0
) p2 ON TRUE
WHERE c.tenant_id = %(tenant)s AND c.id = ANY(%(contacts)s::bigint[])
"""
# Also keeps others from moving them before this batch has ended: what is read next stays true.
_STANDING = """
SELECT id FROM participants_participant
WHERE tenant_id = %(tenant)s AND id = ANY(%(mates)s::bigint[]) AND status = 'active'
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""
_HOLDERS = """
SELECT t.participant_id, c.id, owner.contact_id, owner.participant_id, mates.ids, mates.earlier
FROM unnest(%(ids)s::bigint[], %(contacts)s::bigint[], %(enrolled)s::timestamptz[])
     AS t(participant_id, contact_id, enrolled_at)
JOIN LATERAL (
    SELECT id, tenant_id, email_norm FROM crm_contact WHERE id = t.contact_id AND tenant_id = %(tenant)s OFFSET 0
) c ON TRUE
LEFT JOIN LATERAL (
    SELECT m.contact_id, m.participant_id
    FROM crm_contact c2
    JOIN LATERAL (
        SELECT id, contact_id, participant_id FROM delivery_message
        WHERE tenant_id = c2.tenant_id AND contact_id = c2.id AND flow_id = %(flow)s
          AND step_id = %(step)s AND status NOT IN ('cancelled', 'blocked', 'bounced')
          AND NOT (withdrawn <> '' AND status IN ('failed', 'soft_bounced')) OFFSET 0
    ) m ON TRUE
    WHERE c2.tenant_id = c.tenant_id AND c2.email_norm = c.email_norm
    ORDER BY m.id DESC LIMIT 1
) owner ON TRUE
LEFT JOIN LATERAL (
    SELECT array_agg(p2.id) AS ids, array_agg(p2.id) FILTER (
        WHERE (p2.enrolled_at, p2.id) < (t.enrolled_at, t.participant_id)) AS earlier
    FROM crm_contact c2
    JOIN LATERAL (
        SELECT id, enrolled_at FROM participants_participant
        WHERE tenant_id = c2.tenant_id AND flow_id = %(flow)s AND contact_id = c2.id AND status = 'active' OFFSET 0
    ) p2 ON TRUE
    WHERE c2.tenant_id = c.tenant_id AND c2.email_norm = c.email_norm AND c2.id <> c.id
) mates ON TRUE
WHERE owner.contact_id IS NOT NULL OR mates.ids IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Held:
    """Who has the address of one participant: another's participant that got the mail, or the active ones who entered
    earlier. `unsettled` says that one with the same address is being moved elsewhere at this moment."""

    got_by: int | None = None
    earlier: tuple[int, ...] = ()
    unsettled: bool = False

    def holder(self, gone: set[int]) -> int | None:
        """Return the participant that has the address; `gone` are those who have left in this batch."""
        if self.got_by is not None:
            return self.got_by
        return min((one for one in self.earlier if one not in gone), default=None)


def addresses_held(
    cursor: psycopg.Cursor[Any], cohort: Sequence[Moving], *, tenant_id: int, flow_id: int
) -> Mapping[int, Held]:
    """Return by participant id who has its address, where another contact shares it. Three queries for those of a
    cohort who share one, none of which waits."""
    if not cohort:
        return {}
    given: dict[str, Any] = {
        "tenant": tenant_id,
        "flow": flow_id,
        "step": cohort[0].step_id,
        "ids": [mover.id for mover in cohort],
        "contacts": [mover.contact_id for mover in cohort],
        "enrolled": [mover.enrolled_at for mover in cohort],
    }
    cursor.execute(_MATES, given)
    mates = [row[0] for row in cursor]
    standing: set[int] = set()
    if mates:
        cursor.execute(_STANDING, {"tenant": tenant_id, "mates": mates})
        standing = {row[0] for row in cursor}
    cursor.execute(_HOLDERS, given)
    return {row[0]: _held(row, standing) for row in cursor}


def _held(row: Any, standing: set[int]) -> Held:
    _, contact_id, owner, got_by, mates, earlier = row
    if owner is not None:
        return Held(got_by=None if owner == contact_id else got_by)
    return Held(earlier=tuple(earlier or ()), unsettled=not standing.issuperset(mates))


def put_off_until(now: dt.datetime) -> dt.datetime:
    """Return when to look again; two that put each other off do not meet for long."""
    return now + dt.timedelta(seconds=random.uniform(*SECONDS))
