"""When a member was last here, to the quarter of an hour: not a write for every page."""

from __future__ import annotations

import datetime as dt

from accounts.models import Membership

EVERY = dt.timedelta(minutes=15)


def note_presence(*, member: Membership, now: dt.datetime) -> None:
    """Remember that the member is here now."""
    if member.last_seen_at is None or now - member.last_seen_at > EVERY:
        Membership.objects.filter(pk=member.pk).update(last_seen_at=now)
