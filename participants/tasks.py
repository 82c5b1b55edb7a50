"""Celery's shells around the engine, intake and counters: one bounded piece of work each, then again while there is
more. A task says nothing that a row does not know."""

from __future__ import annotations

import datetime as dt
import random
import time

import structlog
from celery import shared_task
from django.conf import settings
from django.db import DatabaseError

from accounts.queries import tenant_now
from content.tasks import wake_collecting
from core.clock import now
from core.tasks import run_job
from core.tenancy import tenant_scope
from delivery.queries import (
    tenants_with_domains_to_check,
    tenants_with_due_messages,
    tenants_with_due_webhooks,
)
from delivery.tasks import wake_delivery, wake_domains, wake_webhooks
from participants import counters, intake, wake
from participants.due import due_work, next_turn
from participants.engine.batch import BatchResult, run_batch
from participants.engine.pace import Pace
from participants.operations.striking import strike

log = structlog.get_logger(__name__)
pace = Pace(most=settings.ENGINE_BATCH)
_HOUR = 3600


@shared_task(name="participants.take_turn")
def take_turn(tenant_id: int) -> None:
    """Run one batch of the tenant's flow that was served longest ago; while there is work, ask for the next turn.

    A tenant with a hundred flows has as many turns as one with a single flow. A full batch asks for a second worker.
    """
    wake.taken_up(f"turn:{tenant_id}")
    moment, limit = tenant_now(tenant_id), pace.size
    began = time.monotonic()
    try:
        flow_id = next_turn(tenant_id=tenant_id, now=moment)
        if flow_id is None:
            return
        result = run_batch(tenant_id=tenant_id, flow_id=flow_id, now=moment, limit=limit)
    except DatabaseError as error:
        log.warning("batch_comes_again", error=str(error))
        take_turn.apply_async((tenant_id,), countdown=random.uniform(0.2, 2.0))
        return
    pace.took(time.monotonic() - began, number=result.claimed)
    _wake_after(result, tenant_id=tenant_id)
    if result.busy:
        take_turn.apply_async((tenant_id,), countdown=random.uniform(0.1, 0.5))
        return
    # Fewer than the limit may only mean that other work held some contacts: the next turn finds out.
    if result.claimed:
        take_turn.delay(tenant_id)
    if result.claimed >= limit and wake.first_to_say(f"more:{tenant_id}", seconds=2):
        take_turn.delay(tenant_id)


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
    if result.flows:
        wake.wake_engine(tenant_id)
    if result.more:
        wake.wake_intake(tenant_id=tenant_id)


@shared_task(name="participants.strike_clock")
def strike_clock(tenant_id: int, flow_id: int) -> None:
    """Start what the clock of a flow has struck."""
    wake.taken_up(f"clock:{flow_id}")
    strike(tenant_id=tenant_id, flow_id=flow_id, now=tenant_now(tenant_id))


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
    for tenant_id in dict.fromkeys(tenant_id for tenant_id, _ in work.flows):
        wake.wake_engine(tenant_id)
    for tenant_id, flow_id in work.clocks:
        if wake.first_to_say(f"clock:{flow_id}"):
            strike_clock.delay(tenant_id, flow_id)
    for tenant_id in work.tails:
        if wake.first_to_say(f"fold:{tenant_id}"):
            fold_counters.delay(tenant_id)
    for tenant_id, job_id in work.jobs:
        if wake.first_to_say(f"job:{job_id}", seconds=30):
            run_job.delay(tenant_id, job_id)
    _wake_what_leaves(moment)


def _wake_what_leaves(moment: dt.datetime) -> None:
    for tenant_id in tenants_with_due_messages(moment):
        wake_delivery(tenant_id)
    for tenant_id in tenants_with_due_webhooks(moment):
        wake_webhooks(tenant_id)
    if wake.first_to_say("old-files", seconds=_HOUR):
        wake_collecting(moment)
    if wake.first_to_say("domains-turn", seconds=60):
        for tenant_id in tenants_with_domains_to_check(moment):
            wake_domains(tenant_id)
