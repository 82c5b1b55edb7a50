"""Ending a flow: its status is flows' matter, its participants are ours."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from accounts.models import User
from core.db.cursors import raw_cursor
from core.jobs import Slice, start_job
from core.models import Job
from core.tenancy import require_tenant_id
from flows.operations import lifecycle
from participants.models import Participant
from participants.operations.leaving import leave

SLICE = 5_000


@dataclass(frozen=True, slots=True)
class Ended:
    """How many became cancelled at once, and whether the others follow."""

    cancelled: int
    goes_on: bool


def end_flow(*, flow_id: int, actor: User, now: dt.datetime) -> Ended:
    """End a flow: triggers off, its messages stopped, every active participant *cancelled*.

    From here on nobody moves. The first SLICE are cancelled under the flow's gate, the others by a job; until it is
    done the flow cannot be started. Raises what flows.operations.lifecycle.end raises.
    """
    lifecycle.end(flow_id=flow_id, actor=actor, now=now)
    cancelled = cancel_some(flow_id=flow_id, now=now)
    goes_on = cancelled == SLICE
    if goes_on:
        start_job(kind=CANCEL_PARTICIPANTS.name, now=now, arguments={"flow": flow_id})
    return Ended(cancelled, goes_on)


def cancel_some(*, flow_id: int, now: dt.datetime) -> int:
    """Cancel up to SLICE active participants; return how many. About 0.1 ms each."""
    active = Participant.objects.filter(flow_id=flow_id, status=Participant.Status.ACTIVE)
    ids = list(active.order_by("pk").values_list("pk", flat=True)[:SLICE])
    if not ids:
        return 0
    with raw_cursor() as cursor:
        return leave(cursor, tenant_id=require_tenant_id(), participant_ids=ids, now=now)


class CancelParticipants:
    """The job: the rest of an ended flow's participants."""

    name = lifecycle.ENDING_JOB

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Cancel the next ones, as of the moment the flow ended."""
        cancelled = cancel_some(flow_id=job.arguments["flow"], now=job.created_at)
        done = job.done + cancelled
        return Slice(job.cursor, done, done, finished=cancelled < SLICE)


CANCEL_PARTICIPANTS: Final = CancelParticipants()
