"""Celery's door to sending. A task does one bounded batch of one tenant, then queues itself again: so tenants take
turns, and the truth stays in the rows."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.core.cache import cache

WAKE_SECONDS = 5


def _wake_key(tenant_id: int) -> str:
    return f"wake:delivery:{tenant_id}"


def wake_delivery(tenant_id: int) -> None:
    """Queue one task for the tenant, unless one waits already. Call it after the commit."""
    if cache.add(_wake_key(tenant_id), 1, timeout=WAKE_SECONDS):
        send_due.delay(tenant_id)


@shared_task(name="delivery.send_due", ignore_result=True)
def send_due(tenant_id: int) -> None:
    """Send one batch of the tenant's due messages, and queue the task again while there are more."""
    from delivery.operations.sending import send_batch

    # Deleted first: what is queued from here on wakes another task.
    cache.delete(_wake_key(tenant_id))
    if send_batch(tenant_id=tenant_id, threads=settings.SEND_THREADS).more:
        wake_delivery(tenant_id)


def wake_webhooks(tenant_id: int) -> None:
    """Queue one task for the tenant's webhooks, unless one waits already."""
    if cache.add(f"wake:webhooks:{tenant_id}", 1, timeout=WAKE_SECONDS):
        send_due_webhooks.delay(tenant_id)


@shared_task(name="delivery.send_due_webhooks", ignore_result=True)
def send_due_webhooks(tenant_id: int) -> None:
    """Make one batch of the tenant's due requests, and queue the task again while there are more."""
    from delivery.operations.webhooks import send_webhooks

    cache.delete(f"wake:webhooks:{tenant_id}")
    if send_webhooks(tenant_id=tenant_id).more:
        wake_webhooks(tenant_id)


def wake_domains(tenant_id: int) -> None:
    """Queue one task for the tenant's sender domains, unless one waits already."""
    if cache.add(f"wake:domains:{tenant_id}", 1, timeout=WAKE_SECONDS):
        recheck_domains.delay(tenant_id)


@shared_task(name="delivery.recheck_domains", ignore_result=True)
def recheck_domains(tenant_id: int) -> None:
    """Look at one domain that is due, and queue the task again while there are more."""
    from delivery.operations.sender_domains import recheck_domain

    cache.delete(f"wake:domains:{tenant_id}")
    if recheck_domain(tenant_id=tenant_id):
        wake_domains(tenant_id)
