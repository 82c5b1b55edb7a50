"""Long work in slices: a Job row holds the cursor, and each slice commits cursor and progress with what it did.

A job kind does one bounded slice at a time (at most SLICE_SECONDS). A crash rolls its slice back and the next one
begins at the same cursor, so nothing is counted twice. A kind that can be cut does its slices in lanes, several
workers at once (core.lanes). Kinds are named in settings.JOB_KINDS (dotted paths): core must not import the rooms
above.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from core import clock, lanes
from core.kinds import KindTable
from core.models import Job
from core.tenancy import require_tenant_id, tenant_scope

log = structlog.get_logger(__name__)

SLICE_SECONDS = 5.0
MOST_ATTEMPTS = 5
# A job that nobody has touched for so long has lost its wake (the broker was emptied, say).
STALLED_AFTER = dt.timedelta(seconds=20)


class JobFailed(Exception):
    """The job cannot go on; the message is for the person who started it."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What a slice did: where the next one begins, how far it is, whether that was all."""

    cursor: Mapping[str, Any]
    done: int
    total: int
    finished: bool
    result: Mapping[str, Any] = field(default_factory=dict)


class JobKind(Protocol):
    """A kind of long work."""

    @property
    def name(self) -> str: ...

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Do the next slice in the open transaction and scope; raise JobFailed if it can never go on."""
        ...


@cache
def job_kinds() -> KindTable[JobKind]:
    """Return the table of kinds."""
    return KindTable("job kind", [import_string(path) for path in settings.JOB_KINDS])


@transaction.atomic
def start_job(
    *,
    kind: str,
    now: dt.datetime,
    arguments: Mapping[str, Any],
    title: str = "",
    total: int = 0,
    created_by_id: int | None = None,
) -> Job:
    """Write the job down and, once that is committed, wake a worker for it. Raises UnknownKind."""
    job = Job.objects.create(
        kind=job_kinds()[kind].name,
        title=title,
        arguments=dict(arguments),
        total=total,
        created_by_id=created_by_id,
        created_at=now,
        updated_at=clock.now(),
    )
    wake_after_commit(job)
    return job


def wake_after_commit(job: Job, *, workers: int = 1) -> None:
    """Have so many workers take the next slices as soon as this transaction is committed.

    Without Redis nobody is woken: what is committed stays, and a tick finds it.
    """
    from core.tasks import run_job

    tenant_id = require_tenant_id()
    for _ in range(workers):
        transaction.on_commit(lambda: run_job.delay(tenant_id, job.pk), robust=True)


def run_slice(
    *, tenant_id: int, job_id: int, now: dt.datetime, touched_at: dt.datetime | None = None
) -> bool:
    """Do one slice of a job; say whether there is more to do. What is locked is another worker's: a job that is not
    cut, or the lane of one that is.

    `now` is the tenant's own time; `touched_at` is the real one, from which it is told that a job stands still.
    """
    touched_at = touched_at or now
    with tenant_scope(tenant_id):
        open_jobs = Job.objects.filter(status__in=[Job.Status.WAITING, Job.Status.RUNNING], pk=job_id)
        job = open_jobs.first()
        if job is not None and lanes.is_cut(job):
            return _run_lane(job, now=now, touched_at=touched_at)
        job = open_jobs.select_for_update(skip_locked=True, no_key=True).first()
        if job is None:
            return False
        # It may have been cut a moment ago: then the next slice is a lane's.
        if lanes.is_cut(job) or _cut(job, now=now, touched_at=touched_at):
            return True
        return _run_whole(job, now=now, touched_at=touched_at)


def _run_whole(job: Job, *, now: dt.datetime, touched_at: dt.datetime) -> bool:
    try:
        with transaction.atomic():
            done = job_kinds()[job.kind].slice(job, now=now)
    except JobFailed as failure:
        _end(job, Job.Status.FAILED, touched_at, error=str(failure))
        return False
    except Exception as error:  # noqa: BLE001 (a broken slice must not be tried for ever)
        attempts = int(job.cursor.get("attempts", 0)) + 1
        job.cursor = {**job.cursor, "attempts": attempts}
        return _broken(job, attempts, error, touched_at)
    job.cursor, job.done, job.total = dict(done.cursor), done.done, done.total
    job.result = {**job.result, **done.result}
    _end(job, Job.Status.DONE if done.finished else Job.Status.RUNNING, touched_at)
    return not done.finished


def _cut(job: Job, *, now: dt.datetime, touched_at: dt.datetime) -> bool:
    """Cut a job that has not begun into lanes, where its kind can; wake the other workers for them."""
    kind = job_kinds()[job.kind]
    if job.cursor or settings.JOB_WORKERS < 2 or not isinstance(kind, lanes.Laned):
        return False
    try:
        cursors = kind.lanes(job, now=now, workers=settings.JOB_WORKERS)
    except JobFailed:
        return False  # the slice says why
    if len(cursors) < 2:
        return False
    lanes.cut(job, cursors)
    _end(job, Job.Status.RUNNING, touched_at)
    wake_after_commit(job, workers=min(settings.JOB_WORKERS, len(cursors)) - 1)
    return True


def _run_lane(job: Job, *, now: dt.datetime, touched_at: dt.datetime) -> bool:
    """Do a slice of a lane that nobody else works at."""
    kind = job_kinds()[job.kind]
    if not isinstance(kind, lanes.Laned):
        raise TypeError(f"{job.kind} has lanes, but does not know how to add them up.")
    lane = lanes.claim(job)
    if lane is None:
        return False
    if job.updated_at < touched_at - STALLED_AFTER:
        # Whoever worked at the others is gone, and their wakes with them.
        wake_after_commit(job, workers=min(settings.JOB_WORKERS, lanes.open_lanes(job)) - 1)
    try:
        with transaction.atomic():
            done = kind.slice(lanes.as_part(job, lane), now=now)
    except JobFailed as failure:
        return _end_open(job, Job.Status.FAILED, touched_at, error=str(failure))
    except Exception as error:  # noqa: BLE001 (as above)
        lane.attempts += 1
        lane.save(update_fields=["attempts"])
        return _lock_open(job) and _broken(job, lane.attempts, error, touched_at)
    lane.cursor, lane.done, lane.finished, lane.attempts = dict(done.cursor), done.done, done.finished, 0
    lane.result = {**lane.result, **done.result}
    lane.save(update_fields=["cursor", "done", "finished", "attempts", "result"])
    was_open = _lock_open(job)
    finished = lanes.add_up(job, kind)
    if not was_open:
        _end(job, job.status, touched_at, error=job.error)
        return False
    _end(job, Job.Status.DONE if finished else Job.Status.RUNNING, touched_at)
    return not finished


def _lock_open(job: Job) -> bool:
    """Lock the job's row and read it anew; say whether it was neither cancelled nor ended by another lane."""
    job.refresh_from_db(from_queryset=Job.objects.select_for_update(no_key=True))
    return not job.is_over


def _end_open(job: Job, status: str, now: dt.datetime, *, error: str) -> bool:
    if _lock_open(job):
        _end(job, status, now, error=error)
    return False


def _broken(job: Job, attempts: int, error: Exception, now: dt.datetime) -> bool:
    """Note that a slice of the locked job broke; say whether it is tried again."""
    log.error("job_slice_failed", job=job.pk, kind=job.kind, attempt=attempts, exc_info=error)
    if attempts >= MOST_ATTEMPTS:
        text = "This part could not be done, also when tried again. What was done before it is kept."
        _end(job, Job.Status.FAILED, now, error=text)
        return False
    _end(job, Job.Status.RUNNING, now, error=f"Trying again ({attempts} of {MOST_ATTEMPTS - 1}).")
    return True


def _end(job: Job, status: str, now: dt.datetime, error: str = "") -> None:
    job.status, job.error, job.updated_at = status, error, now
    job.save(update_fields=["status", "error", "updated_at", "cursor", "done", "total", "result"])


@transaction.atomic
def cancel_job(*, job_id: int, now: dt.datetime) -> bool:
    """Stop a job after the slice that may be running; say whether it was still open. What was done is kept."""
    job = Job.objects.select_for_update().get(pk=job_id)
    if job.is_over:
        return False
    _end(job, Job.Status.CANCELLED, now)
    return True
