"""Long work in slices: a Job row holds the cursor, and each slice commits cursor and progress with what it did.

A job kind does one bounded slice at a time (at most SLICE_SECONDS). A crash rolls its slice back and the next one
begins at the same cursor, so nothing is counted twice. Kinds are named in settings.JOB_KINDS (dotted paths): core
must not import the rooms above.
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

from core import clock
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


def wake_after_commit(job: Job) -> None:
    """Have a worker take the next slice as soon as this transaction is committed."""
    from core.tasks import run_job

    tenant_id = require_tenant_id()
    transaction.on_commit(lambda: run_job.delay(tenant_id, job.pk))


def run_slice(
    *, tenant_id: int, job_id: int, now: dt.datetime, touched_at: dt.datetime | None = None
) -> bool:
    """Do one slice of a job; say whether there is more to do. One at a time: a locked job is another worker's.

    `now` is the tenant's own time; `touched_at` is the real one, from which it is told that a job stands still.
    """
    touched_at = touched_at or now
    with tenant_scope(tenant_id):
        open_jobs = Job.objects.filter(status__in=[Job.Status.WAITING, Job.Status.RUNNING])
        job = open_jobs.select_for_update(skip_locked=True, no_key=True).filter(pk=job_id).first()
        if job is None:
            return False
        try:
            with transaction.atomic():
                done = job_kinds()[job.kind].slice(job, now=now)
        except JobFailed as failure:
            _end(job, Job.Status.FAILED, touched_at, error=str(failure))
            return False
        except Exception as error:  # noqa: BLE001 (a broken slice must not be tried for ever)
            return _broken(job, error, touched_at)
        job.cursor, job.done, job.total = dict(done.cursor), done.done, done.total
        job.result = {**job.result, **done.result}
        _end(job, Job.Status.DONE if done.finished else Job.Status.RUNNING, touched_at)
        return not done.finished


def _broken(job: Job, error: Exception, now: dt.datetime) -> bool:
    attempts = int(job.cursor.get("attempts", 0)) + 1
    log.error("job_slice_failed", job=job.pk, kind=job.kind, attempt=attempts, exc_info=error)
    job.cursor = {**job.cursor, "attempts": attempts}
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
