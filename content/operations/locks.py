"""Emails in the steps of a running flow are locked. Flows call these in the transaction of their own status."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from content.models import Email, EmailLock


@transaction.atomic
def lock_emails(*, flow_id: int, flow_name: str, email_ids: Iterable[int], url: str = "") -> None:
    """Lock exactly these emails for the flow; `url` leads to the flow. Emails that do not exist are left out."""
    unlock_emails(flow_id=flow_id)
    known = Email.objects.filter(pk__in=set(email_ids)).order_by("pk").values_list("pk", flat=True)
    EmailLock.objects.bulk_create(
        EmailLock(email_id=email_id, flow_id=flow_id, flow_name=flow_name, url=url) for email_id in known
    )


def unlock_emails(*, flow_id: int) -> None:
    """Take the flow's locks away (it was paused, ended or deleted)."""
    EmailLock.objects.filter(flow_id=flow_id).delete()
