"""Follow-ups for many contacts at once: tasks on a day, meetings in the first free slots of their assignees.

Cost: a handful of statements however many rows, and some 30 µs a row. Meetings hold the diaries (crm.bulk.diaries)
until the transaction ends, so no two batches book the same hour of somebody.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg

from crm.bulk.diaries import load_diaries, lock_diaries, take_gate
from crm.bulk.notifications import NewNotification, notify
from crm.diary import FreeTime, Unit, day_after, first_moment
from crm.events import NewEvent, Origin, record_events

# More for one user in one batch are told in one line.
SINGLE_LINES = 3


@dataclass(frozen=True, slots=True)
class FollowUpPlan:
    """What all follow-ups of one call share.

    A task is due `after` units from today in `zone`; a meeting of `minutes` takes the first free slot from then on.
    """

    kind: Literal["task", "meeting"]
    title: str
    zone: ZoneInfo
    after: int = 0
    unit: Unit = "days"
    minutes: int = 30
    type_id: int | None = None
    project_id: int | None = None
    agenda: str = ""


@dataclass(frozen=True, slots=True)
class NewFollowUp:
    """One follow-up: about whom, for whom."""

    contact_id: int
    company_id: int | None
    assignee_id: int
    participant_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    given: NewFollowUp
    day: dt.date | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None


def create_follow_ups(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    plan: FollowUpPlan,
    rows: Sequence[NewFollowUp],
    now: dt.datetime,
    origin: Origin,
    flow_id: int | None = None,
    actor_id: int | None = None,
) -> list[int | None]:
    """Create follow-ups and return their ids in the order of `rows`; None where no slot is free in two years.

    Writes a follow_up.created event for each and notifies the assignees. A type or project that was deleted
    meanwhile is left out.
    """
    if not rows:
        return []
    if plan.kind == "meeting":
        take_gate(cursor, tenant_id)
        lock_diaries(cursor, tenant_id=tenant_id, user_ids=[row.assignee_id for row in rows])
    users = [row.assignee_id for row in rows]
    diaries = load_diaries(cursor, tenant_id=tenant_id, user_ids=users, now=now)
    placed = _place(plan, rows, diaries, now)
    made = [one for one in placed if one is not None]
    ids = _insert(cursor, tenant_id, plan, made, now, flow_id, actor_id)
    names = _names(cursor, tenant_id, plan, made)
    events = _events(made, ids, plan, names, now, origin, flow_id, actor_id)
    record_events(events, cursor=cursor)
    notify(cursor, tenant_id=tenant_id, rows=_notices(made, ids, plan, names, diaries, actor_id), now=now)
    taken = iter(ids)
    return [None if one is None else next(taken) for one in placed]


def _place(
    plan: FollowUpPlan, rows: Sequence[NewFollowUp], diaries: dict[int, FreeTime], now: dt.datetime
) -> list[_Placed | None]:
    """Give each row, in its order, its day or the assignee's next free slot."""
    holidays = next(iter(diaries.values())).holidays
    if plan.kind == "task":
        unit: Unit = "days" if plan.unit == "hours" else plan.unit
        day = day_after(now.astimezone(plan.zone).date(), plan.after, unit, holidays)
        return [_Placed(row, day, None, None) for row in rows]
    length = dt.timedelta(minutes=plan.minutes)
    slots: dict[int, Iterator[dt.datetime]] = {
        user: diary.slots(
            not_before=first_moment(now, plan.after, plan.unit, diary.zone, holidays), length=length
        )
        for user, diary in diaries.items()
    }
    starts = [next(slots[row.assignee_id], None) for row in rows]
    return [
        _Placed(row, None, start, start + length) if start is not None else None
        for row, start in zip(rows, starts, strict=True)
    ]


def _insert(
    cursor: psycopg.Cursor[Any],
    tenant_id: int,
    plan: FollowUpPlan,
    made: Sequence[_Placed],
    now: dt.datetime,
    flow_id: int | None,
    actor_id: int | None,
) -> list[int]:
    if not made:
        return []
    cursor.execute(
        """
        INSERT INTO crm_followup (tenant_id, kind, title, type_id, project_id, contact_id, company_id, assignee_id, day,
                                  starts_at, ends_at, agenda, status, created_by_id, flow_id, participant_id,
                                  created_at, updated_at)
        SELECT %(tenant)s::bigint, %(kind)s, %(title)s,
               (SELECT id FROM crm_listitem WHERE tenant_id = %(tenant)s::bigint AND id = %(type)s::bigint),
               (SELECT id FROM crm_project WHERE tenant_id = %(tenant)s::bigint AND id = %(project)s::bigint),
               v.contact_id, v.company_id, v.assignee_id, v.day, v.starts_at, v.ends_at, %(agenda)s, 'open',
               %(actor)s::bigint, %(flow)s::bigint, v.participant_id, %(now)s::timestamptz, %(now)s::timestamptz
        FROM unnest(%(contacts)s::bigint[], %(companies)s::bigint[], %(assignees)s::bigint[], %(days)s::date[],
                    %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(participants)s::bigint[]) WITH ORDINALITY
             AS v (contact_id, company_id, assignee_id, day, starts_at, ends_at, participant_id, n)
        ORDER BY v.n RETURNING id
        """,
        {
            "tenant": tenant_id,
            "kind": plan.kind,
            "title": plan.title[:200],
            "type": plan.type_id,
            "project": plan.project_id,
            "agenda": plan.agenda,
            "actor": actor_id,
            "flow": flow_id,
            "now": now,
            "contacts": [one.given.contact_id for one in made],
            "companies": [one.given.company_id for one in made],
            "assignees": [one.given.assignee_id for one in made],
            "participants": [one.given.participant_id for one in made],
            "days": [one.day for one in made],
            "starts": [one.starts_at for one in made],
            "ends": [one.ends_at for one in made],
        },
    )
    return sorted(row[0] for row in cursor.fetchall())


@dataclass(frozen=True, slots=True)
class _Names:
    contacts: dict[int, str]
    type: str


def _names(
    cursor: psycopg.Cursor[Any], tenant_id: int, plan: FollowUpPlan, made: Sequence[_Placed]
) -> _Names:
    cursor.execute(
        "SELECT id, coalesce(nullif(btrim(first_name || ' ' || last_name), ''), email) FROM crm_contact "
        "WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[]) UNION ALL "
        "SELECT NULL, name FROM crm_listitem WHERE tenant_id = %s::bigint AND id = %s::bigint",
        [tenant_id, [one.given.contact_id for one in made], tenant_id, plan.type_id],
    )
    found: dict[int | None, str] = dict(cursor.fetchall())
    kind = found.pop(None, "")
    return _Names({number: name for number, name in found.items() if number is not None}, kind)


def event_data(
    *,
    follow_up_id: int,
    title: str,
    type_id: int | None,
    type_name: str,
    starts_at: dt.datetime | dt.date | None,
    ends_at: dt.datetime | None,
    assignee_id: int,
) -> dict[str, Any]:
    """Return the data of follow_up events; a task starts on its day and has no end."""
    return {
        "follow_up": {
            "id": follow_up_id,
            "title": title,
            "type": type_name,
            "type_id": type_id,
            "starts_at": starts_at.isoformat() if starts_at else None,
            "ends_at": ends_at.isoformat() if ends_at else None,
            "assignee_id": assignee_id,
        }
    }


def _events(
    made: Sequence[_Placed],
    ids: Sequence[int],
    plan: FollowUpPlan,
    names: _Names,
    now: dt.datetime,
    origin: Origin,
    flow_id: int | None,
    actor_id: int | None,
) -> list[NewEvent]:
    return [
        NewEvent(
            "follow_up.created",
            one.given.contact_id,
            now,
            origin,
            company_id=one.given.company_id,
            object_id=number,
            data=event_data(
                follow_up_id=number,
                title=plan.title,
                type_id=plan.type_id,
                type_name=names.type,
                starts_at=one.starts_at or one.day,
                ends_at=one.ends_at,
                assignee_id=one.given.assignee_id,
            ),
            actor_id=actor_id,
            flow_id=flow_id,
            participant_id=one.given.participant_id,
        )
        for one, number in zip(made, ids, strict=True)
    ]


def _notices(
    made: Sequence[_Placed],
    ids: Sequence[int],
    plan: FollowUpPlan,
    names: _Names,
    diaries: dict[int, FreeTime],
    actor_id: int | None,
) -> list[NewNotification]:
    """One line for each follow-up, or one for all of a user's where they are many. Nobody is told of the own doing."""
    counts = Counter(one.given.assignee_id for one in made)
    found = [
        NewNotification(user, "follow_up", f"{count} new follow-ups for you: {plan.title}", "diary/")
        for user, count in counts.items()
        if count > SINGLE_LINES and user != actor_id
    ]
    for one, number in zip(made, ids, strict=True):
        user = one.given.assignee_id
        if user == actor_id or counts[user] > SINGLE_LINES:
            continue
        name = names.contacts.get(one.given.contact_id, "")
        when = when_text(one.starts_at or one.day, diaries[user].zone)
        text = f"{plan.title}{f' with {name}' if name else ''}, {when}"
        found.append(NewNotification(user, "follow_up", text, f"diary/{number}/", one.given.contact_id))
    return found


def when_text(at: dt.datetime | dt.date | None, zone: ZoneInfo) -> str:
    """Return a day or moment as the zone's people say it."""
    if isinstance(at, dt.datetime):
        return f"{at.astimezone(zone):%a %-d %b %Y, %H:%M}"
    return f"{at:%a %-d %b %Y}" if at else ""
