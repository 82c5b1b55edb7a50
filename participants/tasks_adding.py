"""Celery's shell around adding many contacts to a flow: one slice, then again while there are more."""

from __future__ import annotations

from celery import shared_task

from accounts.queries import tenant_now
from core.tenancy import tenant_scope
from participants.operations.adding import add_slice
from participants.wake import first_to_say, taken_up, wake_flow


@shared_task(name="participants.add_contacts")
def add_contacts(tenant_id: int, job_id: int, flow_id: int) -> None:
    """Add one slice; ask for the next."""
    taken_up(f"adding:{job_id}")
    with tenant_scope(tenant_id):
        more = add_slice(job_id=job_id, now=tenant_now(tenant_id))
    wake_flow(tenant_id=tenant_id, flow_id=flow_id)
    if more:
        add_contacts.delay(tenant_id, job_id, flow_id)


def wake_adding(*, tenant_id: int, job_id: int, flow_id: int) -> None:
    """Ask for the next slice of a job, unless that was asked for a moment ago."""
    if first_to_say(f"adding:{job_id}"):
        add_contacts.delay(tenant_id, job_id, flow_id)
