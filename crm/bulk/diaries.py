"""The diaries of a batch's users: locked in one order, then read in one statement.

Two gates keep two batches from booking one hour twice. The tenant's gate lets one batch at a time book or hand out
work, so that batches that meet the same users at several steps in different orders wait instead of deadlocking. The
users' diary rows, locked by user id, keep out the single bookings of pages, which never take the gate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from crm.diary import DEFAULT_HOURS, HORIZON_DAYS, FreeTime, read_hours

# The upper bits say whose advisory lock it is; other rooms choose another class (flows.locks).
_CLASS: Final = 0x4447 << 48

_READ = """
SELECT 'tenant' AS what, NULL::bigint AS user_id, t.timezone AS zone, NULL::jsonb AS hours,
       NULL::timestamptz AS starts_at, NULL::timestamptz AS ends_at, NULL::date AS first_day, NULL::date AS last_day
FROM accounts_tenant t WHERE t.id = %(tenant)s::bigint
UNION ALL
SELECT 'diary', d.user_id, d.timezone, d.hours, NULL, NULL, NULL, NULL
FROM crm_diary d
WHERE d.tenant_id = %(tenant)s::bigint AND (d.user_id IS NULL OR d.user_id = ANY(%(users)s::bigint[]))
UNION ALL
SELECT 'busy', f.assignee_id, NULL, NULL, f.starts_at, f.ends_at, NULL, NULL
FROM crm_followup f
WHERE f.tenant_id = %(tenant)s::bigint AND f.assignee_id = ANY(%(users)s::bigint[]) AND f.kind = 'meeting'
  AND %(meetings)s::bool AND f.ends_at > %(now)s::timestamptz
UNION ALL
SELECT 'away', a.user_id, NULL, NULL, NULL, NULL, a.first_day, a.last_day
FROM crm_awayperiod a
WHERE a.tenant_id = %(tenant)s::bigint AND a.user_id = ANY(%(users)s::bigint[]) AND a.last_day >= %(today)s::date
UNION ALL
SELECT 'holiday', NULL, NULL, NULL, NULL, NULL, h.day, h.day
FROM accounts_holiday h WHERE h.tenant_id = %(tenant)s::bigint AND h.day BETWEEN %(today)s::date AND %(last)s::date
"""


def take_gate(cursor: psycopg.Cursor[Any], tenant_id: int) -> None:
    """Wait for other batches of the tenant that book or hand out work; held until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [_CLASS | tenant_id])


def lock_diaries(cursor: psycopg.Cursor[Any], *, tenant_id: int, user_ids: Sequence[int]) -> None:
    """Lock the users' diary rows by user id, made where there is none, until the transaction ends."""
    users = sorted(set(user_ids))
    cursor.execute(
        "INSERT INTO crm_diary (tenant_id, user_id, timezone) SELECT %s::bigint, u, '' FROM unnest(%s::bigint[]) u "
        "WHERE NOT EXISTS (SELECT 1 FROM crm_diary d WHERE d.tenant_id = %s::bigint AND d.user_id = u) "
        "ORDER BY u ON CONFLICT DO NOTHING",
        [tenant_id, users, tenant_id],
    )
    cursor.execute(
        "SELECT id FROM crm_diary WHERE tenant_id = %s::bigint AND user_id = ANY(%s::bigint[]) "
        "ORDER BY user_id FOR NO KEY UPDATE",
        [tenant_id, users],
    )


def load_diaries(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    user_ids: Sequence[int],
    now: dt.datetime,
    meetings: bool = True,
) -> dict[int, FreeTime]:
    """Return what is known of each user's time from now on; meetings only where they are wanted. One statement."""
    users = sorted(set(user_ids))
    # A day's slack: the user's own day may be another than UTC's.
    today = now.astimezone(dt.UTC).date() - dt.timedelta(days=1)
    last = today + dt.timedelta(days=HORIZON_DAYS + 2)
    cursor.execute(
        _READ,
        {"tenant": tenant_id, "users": users, "now": now, "today": today, "last": last, "meetings": meetings},
    )
    rows = cursor.fetchall()
    zone = next((row[2] for row in rows if row[0] == "tenant"), "UTC")
    kept = {row[1]: (row[2], read_hours(row[3])) for row in rows if row[0] == "diary"}
    default_zone, default_hours = kept.get(None, ("", None))
    holidays = frozenset(row[6] for row in rows if row[0] == "holiday")
    found = {}
    for user in users:
        own_zone, own_hours = kept.get(user, ("", None))
        hours = own_hours if own_hours is not None else default_hours
        found[user] = FreeTime(
            zone=ZoneInfo(own_zone or default_zone or zone),
            hours=DEFAULT_HOURS if hours is None else hours,
            holidays=holidays,
            away=[],
            busy=[],
        )
    for row in rows:
        if row[0] == "busy":
            found[row[1]].busy.append((row[4], row[5]))  # type: ignore[attr-defined]
        elif row[0] == "away":
            found[row[1]].away.append((row[6], row[7]))  # type: ignore[attr-defined]
    return found
