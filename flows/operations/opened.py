"""Remembers which flows a user looked at: the tab Recent."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from flows.models import FlowOpened


def note_opened(*, flow_id: int, user: User, now: dt.datetime) -> None:
    """Note that the user looks at the flow; one row a user and flow. One statement."""
    FlowOpened.objects.bulk_create(
        [FlowOpened(flow_id=flow_id, user=user, at=now)],
        update_conflicts=True,
        unique_fields=["tenant", "user", "flow"],
        update_fields=["at"],
    )
