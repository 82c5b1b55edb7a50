"""Writes of the trial: a trial tenant's clock goes ahead.

Only a trial's clock may be ahead (a check in the database says so too). It never goes back: what has happened by
the tenant's time has happened.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from accounts.models import Tenant

STEPS = {
    "hour": dt.timedelta(hours=1),
    "day": dt.timedelta(days=1),
    "2-days": dt.timedelta(days=2),
    "week": dt.timedelta(days=7),
}
FARTHEST = dt.timedelta(days=3650)


class ClockRefused(Exception):
    """The clock cannot go there; the text says why."""


@transaction.atomic
def advance_clock(*, tenant_id: int, by: dt.timedelta) -> dt.timedelta:
    """Move the clock of a trial tenant ahead and return how far it is ahead now.

    `by` is a positive duration. Raises ClockRefused for other tenants, backwards, and beyond ten years.
    """
    if by <= dt.timedelta():
        raise ClockRefused("The clock goes forward only.")
    tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
    if not tenant.is_trial:
        raise ClockRefused("Only the clock of a trial can be moved.")
    if tenant.clock_offset + by > FARTHEST:
        raise ClockRefused("The clock is ten years ahead already.")
    Tenant.objects.filter(pk=tenant_id).update(clock_offset=F("clock_offset") + by)
    return tenant.clock_offset + by
