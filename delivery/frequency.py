"""The frequency cap: who has had as many marketing messages as the tenant allows, and when there is room again.

Counts every flow and channel over the last 24 hours and seven days, what is queued too; not tests, and not what was
cancelled, blocked or never taken. Set-based; table names are unqualified, so that a rehearsal may shadow them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
_RULES = "SELECT most_a_day, most_a_week, when_full FROM delivery_sendingrules WHERE tenant_id = %s"
_SENT = """
SELECT m.contact_id, array_agg(coalesce(m.handed_at, m.queued_at) ORDER BY coalesce(m.handed_at, m.queued_at) DESC)
FROM delivery_message m
WHERE m.tenant_id = %s AND m.contact_id = ANY(%s::bigint[]) AND m.is_marketing AND NOT m.is_test
  AND m.status NOT IN ('cancelled', 'blocked', 'failed') AND coalesce(m.handed_at, m.queued_at) > %s
GROUP BY m.contact_id
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that is reached: how many messages a contact has had in a window, and how many it may have."""

    had: int
    most: int
    window: dt.timedelta

    @property
    def words(self) -> str:
        """Say it: `had 2 messages in 24 hours, at most 2 are allowed`."""
        span = "24 hours" if self.window == DAY else "7 days"
        messages = "1 message" if self.had == 1 else f"{self.had} messages"
        return f"had {messages} in {span}, at most {self.most} {'is' if self.most == 1 else 'are'} allowed"


@dataclass(frozen=True, slots=True)
class Full:
    """Contacts without room, each with the moment from which there is some, and the limit that keeps it out until then;
    `skips` says not to wait for it."""

    skips: bool = False
    until: dict[int, dt.datetime] = field(default_factory=dict)
    limits: dict[int, Limit] = field(default_factory=dict)


def full_contacts(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, contact_ids: Sequence[int], now: dt.datetime
) -> Full:
    """Return who among the contacts may get no marketing message now. One query where there is no cap, else two."""
    cursor.execute(_RULES, [tenant_id])
    rules = cursor.fetchone()
    if rules is None or (rules[0] is None and rules[1] is None):
        return Full()
    cursor.execute(_SENT, [tenant_id, list(contact_ids), now - WEEK])
    limits = ((rules[0], DAY), (rules[1], WEEK))
    full = Full(skips=rules[2] == "skip")
    for contact_id, times in cursor.fetchall():
        # The most-th newest leaves the window first: then there is room for one.
        ends = [(times[most - 1] + span, most, span) for most, span in limits if most and len(times) >= most]
        if ends and max(ends)[0] > now:
            full.until[contact_id], most, span = max(ends)
            full.limits[contact_id] = Limit(sum(1 for at in times if at > now - span), most, span)
    return full
