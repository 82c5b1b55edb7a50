"""A step that fails for everyone holds its cohort: shown on the flow with the cause, tried again with backoff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from core.backoff import next_try
from flows.document import StepNode
from participants.counters import has_passed
from participants.engine import ending, outcomes
from participants.engine.bisect import SAMPLE
from participants.engine.moving import Moving
from participants.engine.records import HERE
from participants.models import HeldStep

if TYPE_CHECKING:
    from participants.engine.batch import Batch

TRIES_ALONE = 5
log = structlog.get_logger(__name__)


def hold_step(
    batch: Batch, node: StepNode, cohort: Sequence[Moving], *, cause: str, may_be_theirs: bool
) -> None:
    """Keep the whole cohort on the step until the next try. Cost: one row a step, not a participant.

    A few that fail where others have passed before are at fault themselves after TRIES_ALONE tries: step failed. Not
    where the kind itself says what is wrong (a licence that ended, an email without content): they stay until it is put
    right.
    """
    held, is_new = HeldStep.objects.get_or_create(
        flow_id=batch.flow.pk,
        step_id=node.id,
        defaults={"cause": cause[:500], "since": batch.now, "retry_at": batch.now},
    )
    held.attempts = 1 if is_new else held.attempts + 1
    held.cause = cause[:500]
    held.retry_at = next_try(attempt=held.attempts, now=batch.now)
    held.save(update_fields=["attempts", "cause", "retry_at"])
    log.error("step_held", flow=batch.flow.pk, step=str(node.id), cause=cause, participants=len(cohort))
    alone_at_fault = (
        may_be_theirs and len(cohort) < SAMPLE and has_passed(flow_id=batch.flow.pk, step_id=node.id)
    )
    for mover in cohort:
        mover.attempts += 1
    tried_out = [m for m in cohort if alone_at_fault and m.attempts >= TRIES_ALONE]
    ending.drop(batch, tried_out, reason="step_failed", values={"error": cause[:500]})
    stay = [m for m in cohort if m not in tried_out] if tried_out else list(cohort)
    for mover in stay:
        # A wait stays one: its end and what it listens to are as they were.
        mover.due_at, mover.held_reason = held.retry_at, cause
    # Once for each visit: a hundred thousand that are tried again every few minutes are not written again for it.
    seen = outcomes.hold_seen(batch, "step", reason=cause, until=held.retry_at)
    outcomes.keep(batch, [m for m in stay if m.attempts == 1], ended=HERE, values=seen)
    outcomes.keep(batch, [m for m in stay if m.attempts != 1], ended=HERE)


def release_step(batch: Batch, node: StepNode) -> None:
    """Take the hold away after a run that passed."""
    if node.id in batch.held_steps:
        HeldStep.objects.filter(flow_id=batch.flow.pk, step_id=node.id).delete()
        batch.held_steps.discard(node.id)
