"""Moves participants on by the hand of a user: out of a wait, or off a step that does not pass. The guards come first,
and then everyone goes on from there as always."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from participants.engine import outcomes
from participants.engine.batch import Batch, BatchResult, advance, guard, run_gated
from participants.engine.claim import claim_these
from participants.engine.moving import Moving

MOVED_ON = "moved_on"


def move_on(*, tenant_id: int, flow_id: int, participant_ids: Sequence[int], now: dt.datetime) -> BatchResult:
    """Move these active participants on from where they stand, in one transaction.

    Nobody moves in a flow that is not running; `busy` says that it is being changed just now. Who stands before the
    first step simply begins.
    """
    return run_gated(
        tenant_id=tenant_id,
        flow_id=flow_id,
        now=now,
        claim=lambda cursor: claim_these(
            cursor, tenant_id=tenant_id, flow_id=flow_id, participant_ids=participant_ids
        ),
        move=_force,
    )


def _force(batch: Batch) -> None:
    standing: dict[object, list[Moving]] = {}
    begin: list[Moving] = []
    for mover in batch.movers:
        (begin if mover.step_id not in batch.route.nodes else standing.setdefault(mover.step_id, [])).append(
            mover
        )
    for step_id, movers in standing.items():
        passed = guard(batch, movers)
        if passed:
            place = batch.route.after(step_id)  # type: ignore[arg-type]
            outcomes.proceed(batch, passed, place, how=MOVED_ON)
    advance(batch, begin)
