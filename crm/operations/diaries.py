"""Working hours and days away."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.tenancy import require_tenant_id
from crm.diary import Hours, hours_json
from crm.models import AwayPeriod, Diary


class AwayEndsBefore(ValueError):
    """The last day away is before the first."""


@transaction.atomic
def save_hours(*, user: User | None, hours: Hours | None, timezone: str, actor: User) -> Diary:
    """Store somebody's working hours (None: the tenant's) and timezone ("": the tenant's); user None is the default.

    Meetings that are booked already stay. A change of the default is audited.
    """
    kept = {"hours": hours_json(hours) if hours is not None else None, "timezone": timezone}
    diary, _ = Diary.objects.update_or_create(user=user, defaults=kept)
    if user is None:
        write_audit(
            actor=actor,
            action="working_hours.changed",
            object_kind="tenant",
            object_id=require_tenant_id(),
            object_name="Working hours",
            payload=kept,
        )
    found: Diary = diary
    return found


@transaction.atomic
def add_away(*, user: User, first_day: dt.date, last_day: dt.date, note: str = "") -> AwayPeriod:
    """Note that somebody is away from one day to another, both included. Raises AwayEndsBefore."""
    if last_day < first_day:
        raise AwayEndsBefore("The last day is before the first.")
    found: AwayPeriod = AwayPeriod.objects.create(
        user=user, first_day=first_day, last_day=last_day, note=note[:120]
    )
    return found


@transaction.atomic
def remove_away(*, away_id: int, user: User) -> None:
    """Take back that somebody is away; somebody else's is left alone."""
    AwayPeriod.objects.filter(pk=away_id, user=user).delete()
