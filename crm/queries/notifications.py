"""A user's notifications: the list, and how many are unread (counted no further than the bell shows)."""

from __future__ import annotations

from django.db.models import QuerySet

from crm.models import Notification

MOST_COUNTED = 99


def notifications_of(user_id: int) -> QuerySet[Notification]:
    """Return a user's notifications."""
    return Notification.objects.filter(user_id=user_id)


def unread_count(user_id: int) -> int:
    """Return how many are unread, at most MOST_COUNTED + 1."""
    unread = Notification.objects.filter(user_id=user_id, read_at=None).order_by()
    return unread[: MOST_COUNTED + 1].count()
