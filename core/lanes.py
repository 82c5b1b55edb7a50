"""Lanes: a large job is cut into parts once, and several workers do slices of different parts side by side.

A worker claims a lane by locking its row for one slice's transaction, so a lane is in one worker's hands at a time, a
crash gives it back with its cursor as it was, and nobody waits for a lease to run out. The job's own row is locked
only at the end of a slice, to add the lanes up. Must not know what a kind of job does, nor tasks and their broker.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from core.models import Job, JobLane

_CUT = "lanes"


@runtime_checkable
class Laned(Protocol):
    """A kind of job whose parts may be done in any order, also at the same time."""

    def lanes(self, job: Job, *, now: dt.datetime, workers: int) -> Sequence[Mapping[str, Any]]:
        """Return the cursor that each part begins with; fewer than two leave the job whole. Reads only."""
        ...

    def merged(self, results: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return the job's result from those of its lanes, each {} before its first slice."""
        ...


def is_cut(job: Job) -> bool:
    """Say whether the job goes by lanes."""
    return _CUT in job.cursor


def cut(job: Job, cursors: Sequence[Mapping[str, Any]]) -> None:
    """Write the lanes of a job that the caller has locked; the caller saves the job."""
    JobLane.objects.bulk_create(
        JobLane(job=job, number=number, cursor=dict(cursor)) for number, cursor in enumerate(cursors, 1)
    )
    job.cursor = {_CUT: len(cursors)}


def claim(job: Job) -> JobLane | None:
    """Lock and return the first lane that nobody works at and that is not finished."""
    free = JobLane.objects.filter(job=job, finished=False).order_by("number")
    return free.select_for_update(skip_locked=True, no_key=True).first()


def open_lanes(job: Job) -> int:
    """Return how many lanes are not finished."""
    return JobLane.objects.filter(job=job, finished=False).count()


def as_part(job: Job, lane: JobLane) -> Job:
    """Return the job as the kind sees it in this lane: with the lane's cursor, progress and result. Never saved."""
    part = copy.copy(job)
    part.cursor, part.done, part.result = lane.cursor, lane.done, lane.result
    return part


def add_up(job: Job, kind: Laned) -> bool:
    """Set the locked job's progress and result to the sums of its lanes; say whether all of them are finished.

    Whoever holds the job's row sees every lane that was committed before, so the last to finish knows that it is.
    """
    lanes = list(JobLane.objects.filter(job=job).order_by("number"))
    job.done = sum(lane.done for lane in lanes)
    job.result = dict(kind.merged([lane.result for lane in lanes]))
    finished = all(lane.finished for lane in lanes)
    job.total = job.done if finished else max(job.total, job.done)
    return finished
