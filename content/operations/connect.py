"""Emails become a flow's own when a saved step sends them. Flows call this in the transaction of their save."""

from __future__ import annotations

from collections.abc import Iterable

from content.models import Email


def connect_emails(*, flow_id: int, email_ids: Iterable[int]) -> int:
    """Give these emails to the flow; those that belong to a flow already stay there. Returns how many came."""
    return Email.objects.filter(pk__in=set(email_ids), flow_id=None).update(flow_id=flow_id)
