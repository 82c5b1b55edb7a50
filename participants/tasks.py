"""Celery's shells around the engine, intake and counters: one bounded piece of work each, then again while there is
more. A task says nothing that a row does not know."""

from __future__ import annotations

import random
import time

import structlog
from celery import shared_task
from django.conf import settings
from django.db import DatabaseError

from accounts.queries import tenant_now
from core.clock import now
from core.tasks import run_job
from core.tenancy import tenant_scope
from delivery.queries import tenants_with_due_messages
from delivery.tasks import wake_delivery
from participants import counters, intake, wake
from participants.due import due_work
from participants.engine.batch import BatchResult, run_batch

log = structlog.get_logger(__name__)


@shared_task(name="participants.advance_flow")
def advance_flow(tenant_id: int, flow_id: int) -> None:
    """Run one batch of a flow; while it was full, ask for the next, and for a second worker."""
    wake.taken_up(f"flow:{flow_id}")
    limit = settings.ENGINE_BATCH
    try:
        result = run_batch(tenant_id=tenant_id, flow_id=flow_id, now=tenant_now(tenant_id), limit=limit)
    except DatabaseError as error:
        log.warning("batch_comes_again", flow=flow_id, error=str(error))
        advance_flow.apply_async((tenant_id, flow_id), countdown=random.uniform(0.2, 2.0))
        return
    _wake_after(result, tenant_id=tenant_id)
    # Fewer than the limit may only mean that other work held some contacts: the next batch finds out.
    if result.claimed:
        advance_flow.delay(tenant_id, flow_id)
    if result.claimed >= limit and wake.first_to_say(f"more:{flow_id}", seconds=2):
        advance_flow.delay(tenant_id, flow_id)
    elif result.busy:
        advance_flow.apply_async((tenant_id, flow_id), countdown=random.uniform(0.1, 0.5))


def _wake_after(result: BatchResult, *, tenant_id: int) -> None:
    if result.messages:
        wake_delivery(tenant_id)
    if result.events:
        wake.wake_intake(tenant_id=tenant_id)


@shared_task(name="participants.take_inbox")
def take_inbox(tenant_id: int) -> None:
    """Take one slice of a tenant's events, then wake what it brought."""
    wake.taken_up(f"intake:{tenant_id}")
    result = intake.take_events(tenant_id=tenant_id, now=tenant_now(tenant_id))
    for flow_id in sorted(result.flows):
        wake.wake_flow(tenant_id=tenant_id, flow_id=flow_id)
    if result.more:
        wake.wake_intake(tenant_id=tenant_id)


@shared_task(name="participants.fold_counters")
def fold_counters(tenant_id: int) -> None:
    """Fold one slice of counter deltas."""
    with tenant_scope(tenant_id):
        folded = counters.fold(tenant_id=tenant_id)
    if folded >= counters.FOLD_ROWS:
        fold_counters.delay(tenant_id)


@shared_task(name="participants.tick", ignore_result=True)
def tick() -> None:
    """Find what is due, across tenants, and wake it: time itself has no commit."""
    wake.note_tick(time.time())
    moment = now()
    work = due_work(moment)
    for tenant_id in work.inboxes:
        wake.wake_intake(tenant_id=tenant_id)
    for tenant_id, flow_id in work.flows:
        wake.wake_flow(tenant_id=tenant_id, flow_id=flow_id)
    for tenant_id in work.tails:
        if wake.first_to_say(f"fold:{tenant_id}"):
            fold_counters.delay(tenant_id)
    for tenant_id, job_id in work.jobs:
        if wake.first_to_say(f"job:{job_id}", seconds=30):
            run_job.delay(tenant_id, job_id)
    for tenant_id in tenants_with_due_messages(moment):
        wake_delivery(tenant_id)
