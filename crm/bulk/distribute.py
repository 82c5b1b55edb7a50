"""Handing contacts to users in turn: whole companies, evenly, by a place that is remembered from batch to batch.

Users take turns in the order of their ids, beginning behind who was served last. Whoever is inactive or away today (in
their own timezone) is passed over. Locks: the tenant's gate (crm.bulk.diaries), the turn, then contacts and companies
by id (crm.bulk.state).
"""

from __future__ import annotations

import datetime as dt
import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.stand_ins import stand_ins
from crm.bulk.diaries import load_diaries, take_gate
from crm.bulk.notifications import NewNotification, notify
from crm.bulk.state import Owner, load
from crm.bulk.targets import targets_by_key
from crm.bulk.update import record_changes, write_state
from crm.events import Origin

KEY = "contact.our_contact"
# More for one user in one batch are told in one line.
SINGLE_LINES = 3


@dataclass(frozen=True, slots=True)
class Circle:
    """Among whom a step hands out: users and members of groups; `fallback` where nobody of them is there."""

    user_ids: Sequence[int]
    group_ids: Sequence[int]
    fallback: int
    only_unassigned: bool = True


def distribute(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    step_id: uuid.UUID,
    contact_ids: Sequence[int],
    circle: Circle,
    now: dt.datetime,
    origin: Origin,
    flow_id: int | None = None,
) -> dict[int, int]:
    """Set "our contact" and return the user of each contact that was handed out, by contact id.

    Contacts of one company are one turn and get the same user. With `only_unassigned` those who have an active user
    already are left alone. Writes contact.updated for everyone who really changed, colleagues too, and notifies.
    A dozen statements, however many contacts.
    """
    if not contact_ids:
        return {}
    take_gate(cursor, tenant_id)
    last = _lock_turn(cursor, tenant_id, step_id)
    users = _who_is_there(cursor, tenant_id, circle, now)
    target = targets_by_key([KEY])[KEY]
    state = load(cursor, tenant_id=tenant_id, contact_ids=contact_ids, targets=[target])
    units: dict[int, tuple[Owner, list[int]]] = {}
    for contact in state.contacts.values():
        owner = state.owner(contact, target)
        if owner is not None:
            units.setdefault(id(owner), (owner, []))[1].append(contact.id)
    kept = _active(cursor, tenant_id, [owner.old[KEY] for owner, _ in units.values()])
    served: dict[int, int] = {}
    lots: dict[int, list[int]] = defaultdict(list)
    for owner, members in units.values():
        if circle.only_unassigned and owner.old[KEY] in kept:
            continue
        user, last = _next(users, last, circle.fallback)
        owner.new[KEY] = user
        lots[user].append(members[0])
        served |= dict.fromkeys(members, user)
    write_state(cursor, tenant_id=tenant_id, state=state, targets=[target], now=now)
    record_changes(cursor, tenant_id=tenant_id, state=state, now=now, origin=origin, flow_id=flow_id)
    _remember(cursor, tenant_id, step_id, last)
    notify(cursor, tenant_id=tenant_id, rows=_notices(cursor, tenant_id, lots), now=now)
    return served


def _lock_turn(cursor: psycopg.Cursor[Any], tenant_id: int, step_id: uuid.UUID) -> int:
    cursor.execute(
        "INSERT INTO crm_ownerturn (tenant_id, step_id, last_user_id) VALUES (%s::bigint, %s::uuid, 0) "
        "ON CONFLICT DO NOTHING",
        [tenant_id, step_id],
    )
    cursor.execute(
        "SELECT last_user_id FROM crm_ownerturn WHERE tenant_id = %s::bigint AND step_id = %s::uuid "
        "FOR NO KEY UPDATE",
        [tenant_id, step_id],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _remember(cursor: psycopg.Cursor[Any], tenant_id: int, step_id: uuid.UUID, last: int) -> None:
    cursor.execute(
        "UPDATE crm_ownerturn SET last_user_id = %s::bigint WHERE tenant_id = %s::bigint AND step_id = %s::uuid",
        [last, tenant_id, step_id],
    )


def _who_is_there(cursor: psycopg.Cursor[Any], tenant_id: int, circle: Circle, now: dt.datetime) -> list[int]:
    """Return the active users of the circle (or who stands in for them) who are not away today, by id."""
    named = stand_ins(cursor, tenant_id=tenant_id, user_ids=circle.user_ids)
    cursor.execute(
        """
        SELECT m.user_id FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id
        WHERE m.tenant_id = %(tenant)s::bigint AND m.is_active AND u.is_active
          AND (m.user_id = ANY(%(users)s::bigint[]) OR m.group_id = ANY(%(groups)s::bigint[])
               OR EXISTS (SELECT 1 FROM accounts_membershipgroup g WHERE g.tenant_id = m.tenant_id
                          AND g.membership_id = m.id AND g.group_id = ANY(%(groups)s::bigint[])))
        ORDER BY m.user_id
        """,
        {"tenant": tenant_id, "users": sorted(set(named.values())), "groups": list(circle.group_ids)},
    )
    users = [row[0] for row in cursor.fetchall()]
    diaries = load_diaries(cursor, tenant_id=tenant_id, user_ids=users, now=now, meetings=False)
    return [user for user in users if not diaries[user].is_away(now.astimezone(diaries[user].zone).date())]


def _active(cursor: psycopg.Cursor[Any], tenant_id: int, users: Sequence[int | None]) -> set[int]:
    """Return those users who are active here: whoever left looks after nobody any more."""
    cursor.execute(
        "SELECT m.user_id FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id "
        "WHERE m.tenant_id = %s::bigint AND m.user_id = ANY(%s::bigint[]) AND m.is_active AND u.is_active",
        [tenant_id, sorted({user for user in users if user is not None})],
    )
    return {row[0] for row in cursor.fetchall()}


def _next(users: Sequence[int], last: int, fallback: int) -> tuple[int, int]:
    """Return whose turn it is and the place to remember; the fallback takes no turn."""
    if not users:
        return fallback, last
    user = users[bisect_right(users, last) % len(users)]
    return user, user


def _notices(
    cursor: psycopg.Cursor[Any], tenant_id: int, lots: dict[int, list[int]]
) -> list[NewNotification]:
    single = [contact for members in lots.values() if len(members) <= SINGLE_LINES for contact in members]
    names: dict[int, str] = {}
    if single:
        cursor.execute(
            "SELECT c.id, coalesce(nullif(btrim(c.first_name || ' ' || c.last_name), ''), c.email) "
            "|| coalesce(', ' || co.name, '') FROM crm_contact c "
            "LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id "
            "WHERE c.tenant_id = %s::bigint AND c.id = ANY(%s::bigint[])",
            [tenant_id, single],
        )
        names = dict(cursor.fetchall())
    found = []
    for user, members in sorted(lots.items()):
        if len(members) > SINGLE_LINES:
            text = f"{len(members):,} contacts and companies were handed to you"
            found.append(NewNotification(user, "distributed", text, "contacts/"))
            continue
        found += [
            NewNotification(
                user,
                "distributed",
                f"Handed to you: {names.get(contact, '')}",
                f"contacts/{contact}/",
                contact,
            )
            for contact in members
        ]
    return found
