"""Follow-ups within a member's reach, and the diary of one user by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.models import Membership
from accounts.reach import owners_within_reach
from accounts.rights import DataObject
from core.db.cursors import raw_cursor
from core.localtime import moment
from core.tenancy import require_tenant_id
from crm.bulk.diaries import load_diaries
from crm.diary import FreeTime
from crm.models import FollowUp

MOST_OVERDUE = 100
MOST_SHOWN = 500
_DAY = dt.timedelta(days=1)


@dataclass(slots=True)
class DiaryDay:
    """One day: what is planned, and whether the user works."""

    day: dt.date
    follow_ups: list[FollowUp] = field(default_factory=list)
    is_away: bool = False
    is_holiday: bool = False
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class DiaryView:
    """Some days of a diary, and the open tasks whose day is past."""

    days: Sequence[DiaryDay]
    overdue: Sequence[FollowUp]
    zone: ZoneInfo
    today: dt.date

    def all(self) -> Iterator[FollowUp]:
        """Yield every follow-up that is shown."""
        yield from self.overdue
        for day in self.days:
            yield from day.follow_ups


def follow_ups_for(member: Membership, verb: str = "read") -> QuerySet[FollowUp]:
    """Return the follow-ups that the member may read (update, remove), by their assignee."""
    found = FollowUp.objects.select_related("contact", "company", "assignee", "type", "project")
    owners = owners_within_reach(member, DataObject.FOLLOW_UP, verb)
    return found if owners is None else found.filter(assignee__in=owners)


def get_follow_up(member: Membership, follow_up_id: int, verb: str = "read") -> FollowUp:
    """Return a follow-up by id, or raise Http404 where the member may not."""
    found = follow_ups_for(member, verb).filter(pk=follow_up_id).first()
    if found is None:
        raise Http404
    return found


def users_within(member: Membership, verb: str) -> list[Membership]:
    """Return the active members whose diaries are within reach of a verb, by name."""
    members = Membership.objects.filter(is_active=True).select_related("user")
    owners = owners_within_reach(member, DataObject.FOLLOW_UP, verb)
    if owners is not None:
        members = members.filter(user__in=owners)
    return sorted(members, key=lambda one: (str(one.user).casefold(), one.user_id))


def free_time_of(user_id: int, now: dt.datetime) -> FreeTime:
    """Return what is known of a user's time."""
    with raw_cursor() as cursor:
        return load_diaries(cursor, tenant_id=require_tenant_id(), user_ids=[user_id], now=now)[user_id]


def diary_of(
    member: Membership, user_id: int, *, first_day: dt.date | None, days: int, now: dt.datetime
) -> DiaryView:
    """Return a user's diary from a day on (today where none is given). Three queries, whatever is in it."""
    time = free_time_of(user_id, now)
    today = now.astimezone(time.zone).date()
    first = first_day or today
    last = first + (days - 1) * _DAY
    shown = {
        day: DiaryDay(day, [], time.is_away(day), day in time.holidays, day == today)
        for day in (first + number * _DAY for number in range(days))
    }
    mine = follow_ups_for(member).filter(assignee=user_id)
    from_, to = moment(first, dt.time(0), time.zone), moment(last + _DAY, dt.time(0), time.zone)
    planned = mine.filter(
        Q(kind=FollowUp.Kind.TASK, day__range=(first, last))
        | Q(kind=FollowUp.Kind.MEETING, ends_at__gt=from_, starts_at__gte=from_, starts_at__lt=to)
    )
    for follow_up in planned.order_by("starts_at", "id")[:MOST_SHOWN]:
        starts = follow_up.starts_at
        day = follow_up.day or (starts.astimezone(time.zone).date() if starts else first)
        if day in shown:
            shown[day].follow_ups.append(follow_up)
    overdue = mine.filter(kind=FollowUp.Kind.TASK, status=FollowUp.Status.OPEN, day__lt=min(today, first))
    return DiaryView(
        list(shown.values()), list(overdue.order_by("day", "id")[:MOST_OVERDUE]), time.zone, today
    )
