"""Celery's door to what content clears away by itself."""

from __future__ import annotations

import datetime as dt

from celery import shared_task

from accounts.queries import tenant_now
from content.operations.collecting import collect_soon
from content.queries_attachment import tenants_with_old_files
from core.tenancy import tenant_scope


@shared_task(name="content.collect_files", ignore_result=True)
def collect_files(tenant_id: int) -> None:
    """Begin to collect a tenant's files that nothing holds, unless that was done within a day."""
    with tenant_scope(tenant_id):
        collect_soon(now=tenant_now(tenant_id))


def wake_collecting(now: dt.datetime) -> None:
    """Queue the task for each tenant that has files older than a day. `now` is the real time."""
    for tenant_id in tenants_with_old_files(now):
        collect_files.delay(tenant_id)
