"""Follow-ups one by one: create, change, move, complete, reopen, delete. Many at once are crm.bulk.follow_ups.

Whoever books a meeting by hand may book over another one; the diary row is locked all the same, so that a batch that
looks for free time meanwhile sees it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import Membership, User
from core.db.cursors import raw_cursor
from core.localtime import moment
from core.tenancy import require_tenant_id
from crm.bulk.diaries import load_diaries, lock_diaries
from crm.bulk.follow_ups import event_data, when_text
from crm.bulk.notifications import NewNotification, notify
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact, FollowUp, ListItem, Project


class NotAMember(ValueError):
    """Follow-ups are given to active members only."""


_SAID = ("kind", "title", "assignee_id", "day", "starts_at", "ends_at", "type_id", "project_id", "agenda")


@dataclass(frozen=True, slots=True)
class FollowUpValues:
    """What people say about a follow-up: a task has a day, a meeting its times (aware)."""

    kind: str
    title: str
    assignee_id: int
    day: dt.date | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    type_id: int | None = None
    project_id: int | None = None
    agenda: str = ""


@transaction.atomic
def create_follow_up(
    *,
    values: FollowUpValues,
    contact_id: int | None,
    now: dt.datetime,
    actor: User,
    origin: Origin = Origin.USER,
) -> FollowUp:
    """Create a follow-up, with or without a contact; another assignee is notified. Raises NotAMember."""
    _check(values)
    contact = Contact.objects.get(pk=contact_id, deleted_at=None) if contact_id is not None else None
    _lock(values)
    follow_up = FollowUp(
        contact=contact,
        company_id=contact.company_id if contact else None,
        created_by=actor,
        created_at=now,
    )
    _fill(follow_up, values, now)
    follow_up.save()
    _record(follow_up, "follow_up.created", now, origin, actor)
    _notify(follow_up, now, actor, "")
    return follow_up


@transaction.atomic
def change_follow_up(*, follow_up_id: int, values: FollowUpValues, now: dt.datetime, actor: User) -> FollowUp:
    """Change a follow-up; a new assignee is notified. Writes follow_up.updated where anything really changed.

    Raises NotAMember.
    """
    follow_up = _locked(follow_up_id)
    before = _told(follow_up)
    if values.assignee_id != follow_up.assignee_id:
        _check(values)
    _lock(values)
    handed_over = values.assignee_id != follow_up.assignee_id
    _fill(follow_up, values, now)
    follow_up.save()
    if _told(follow_up) != before:
        _record(follow_up, "follow_up.updated", now, Origin.USER, actor)
    if handed_over:
        _notify(follow_up, now, actor, "Handed over to you: ")
    return follow_up


@transaction.atomic
def move_follow_up(*, follow_up_id: int, days: int, now: dt.datetime, actor: User) -> FollowUp:
    """Move a follow-up by days; a meeting keeps its clock time in its assignee's timezone. Writes follow_up.updated."""
    follow_up = _locked(follow_up_id)
    by = dt.timedelta(days=days)
    if follow_up.day is not None:
        follow_up.day += by
    elif follow_up.starts_at is not None and follow_up.ends_at is not None:
        _lock_users(follow_up.assignee_id)
        length = follow_up.ends_at - follow_up.starts_at
        local_zone = zone_of(follow_up.assignee_id, now)
        local = follow_up.starts_at.astimezone(local_zone)
        follow_up.starts_at = moment(local.date() + by, local.time(), local_zone)
        follow_up.ends_at = follow_up.starts_at + length
    follow_up.updated_at = now
    follow_up.save(update_fields=["day", "starts_at", "ends_at", "updated_at"])
    if days:
        _record(follow_up, "follow_up.updated", now, Origin.USER, actor)
    if follow_up.assignee_id != actor.pk:
        _notify(follow_up, now, actor, "Moved: ")
    return follow_up


@transaction.atomic
def complete_follow_up(
    *, follow_up_id: int, now: dt.datetime, actor: User, origin: Origin = Origin.USER
) -> FollowUp:
    """Mark a follow-up as done, once: done already stays as it is."""
    follow_up = _locked(follow_up_id)
    if follow_up.status == FollowUp.Status.DONE:
        return follow_up
    follow_up.status, follow_up.done_at, follow_up.updated_at = FollowUp.Status.DONE, now, now
    follow_up.save(update_fields=["status", "done_at", "updated_at"])
    _record(follow_up, "follow_up.completed", now, origin, actor)
    return follow_up


@transaction.atomic
def reopen_follow_up(*, follow_up_id: int, now: dt.datetime, actor: User) -> FollowUp:
    """Take the mark back, once: open already stays as it is. Writes follow_up.reopened."""
    follow_up = _locked(follow_up_id)
    if follow_up.status == FollowUp.Status.OPEN:
        return follow_up
    follow_up.status, follow_up.done_at, follow_up.updated_at = FollowUp.Status.OPEN, None, now
    follow_up.save(update_fields=["status", "done_at", "updated_at"])
    _record(follow_up, "follow_up.reopened", now, Origin.USER, actor)
    return follow_up


@transaction.atomic
def delete_follow_up(*, follow_up_id: int, now: dt.datetime, actor: User) -> None:
    """Delete a follow-up; the timeline keeps what happened. Writes follow_up.deleted. Audited."""
    follow_up = _locked(follow_up_id)
    _record(follow_up, "follow_up.deleted", now, Origin.USER, actor)
    follow_up.delete()
    write_audit(
        actor=actor,
        action="follow_up.deleted",
        object_kind="follow_up",
        object_id=follow_up_id,
        object_name=follow_up.title,
    )


def zone_of(user_id: int, now: dt.datetime) -> ZoneInfo:
    """Return the timezone of a user's diary."""
    with raw_cursor() as cursor:
        return load_diaries(cursor, tenant_id=require_tenant_id(), user_ids=[user_id], now=now)[user_id].zone


def _told(follow_up: FollowUp) -> tuple[object, ...]:
    """Return what people say about a follow-up, to see whether a change is one."""
    return tuple(getattr(follow_up, name) for name in _SAID)


def _check(values: FollowUpValues) -> None:
    if not Membership.objects.filter(user_id=values.assignee_id, is_active=True).exists():
        raise NotAMember("Choose somebody who is active here.")


def _locked(follow_up_id: int) -> FollowUp:
    found: FollowUp = FollowUp.objects.select_for_update().get(pk=follow_up_id)
    return found


def _lock(values: FollowUpValues) -> None:
    if values.kind == FollowUp.Kind.MEETING:
        _lock_users(values.assignee_id)


def _lock_users(*user_ids: int) -> None:
    with raw_cursor() as cursor:
        lock_diaries(cursor, tenant_id=require_tenant_id(), user_ids=user_ids)


def _fill(follow_up: FollowUp, values: FollowUpValues, now: dt.datetime) -> None:
    """Ids of other lists and tenants are left out, not stored."""
    meeting = values.kind == FollowUp.Kind.MEETING
    follow_up.kind = values.kind
    follow_up.title = values.title[:200]
    follow_up.assignee_id = values.assignee_id
    follow_up.day = None if meeting else values.day
    follow_up.starts_at = values.starts_at if meeting else None
    follow_up.ends_at = values.ends_at if meeting else None
    types = ListItem.objects.filter(list=ListItem.List.FOLLOW_UP_TYPE)
    follow_up.type = types.filter(pk=values.type_id).first() if values.type_id else None
    follow_up.project = Project.objects.filter(pk=values.project_id).first() if values.project_id else None
    follow_up.agenda = values.agenda
    follow_up.updated_at = now


def _record(follow_up: FollowUp, kind: str, now: dt.datetime, origin: Origin, actor: User) -> None:
    if follow_up.contact_id is None:
        return
    data = event_data(
        follow_up_id=follow_up.pk,
        title=follow_up.title,
        type_id=follow_up.type_id,
        type_name=follow_up.type.name if follow_up.type else "",
        starts_at=follow_up.starts_at or follow_up.day,
        ends_at=follow_up.ends_at,
        assignee_id=follow_up.assignee_id,
    )
    event = NewEvent(
        kind,
        follow_up.contact_id,
        now,
        origin,
        company_id=follow_up.company_id,
        object_id=follow_up.pk,
        data=data,
        actor_id=actor.pk,
    )
    record_events([event])


def _notify(follow_up: FollowUp, now: dt.datetime, actor: User, words: str) -> None:
    if follow_up.assignee_id == actor.pk:
        return
    name = f" with {follow_up.contact}" if follow_up.contact else ""
    when = when_text(follow_up.starts_at or follow_up.day, zone_of(follow_up.assignee_id, now))
    line = NewNotification(
        follow_up.assignee_id,
        "follow_up",
        f"{words}{follow_up.title}{name}, {when}",
        f"diary/{follow_up.pk}/",
        follow_up.contact_id,
    )
    with raw_cursor() as cursor:
        notify(cursor, tenant_id=require_tenant_id(), rows=[line], now=now)
