"""A large job goes by lanes: workers side by side, each slice once whatever is killed, one end for all."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Tenant
from core.jobs import MOST_ATTEMPTS, STALLED_AFTER, Slice, cancel_job, job_kinds, run_slice, start_job
from core.models import Job, JobLane
from core.tasks import run_job
from core.tenancy import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
RANGES = ((0, 3), (3, 6), (6, 9))


class Counting:
    """A kind of job that counts from 0 to 8, three numbers a lane; `at` is called in the middle of a slice."""

    name = "counting"

    def __init__(self) -> None:
        self.at: Callable[[int], None] = lambda number: None

    def lanes(self, job: Job, *, now: dt.datetime, workers: int) -> Sequence[Mapping[str, Any]]:
        """Cut into RANGES."""
        return [{"next": first, "end": end} for first, end in RANGES]

    def merged(self, results: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Put all numbers into one list."""
        return {"counted": [number for result in results for number in result.get("counted", [])]}

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Count one number."""
        number, end = job.cursor.get("next", 0), job.cursor.get("end", 9)
        self.at(number)
        counted = [*job.result.get("counted", []), number]
        cursor = {**job.cursor, "next": number + 1}
        return Slice(cursor, job.done + 1, job.total, number + 1 == end, {"counted": counted})


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Counting:
    """The kind, in the table; two workers a job."""
    made = Counting()
    monkeypatch.setitem(job_kinds()._kinds, made.name, made)
    settings.JOB_WORKERS = 2
    return made


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whom the broker was told of."""
    told: list[Any] = []
    monkeypatch.setattr(run_job, "delay", lambda *given: told.append(given))
    return told


@pytest.fixture
def job(acme: Tenant, kind: Counting, woken: list[Any]) -> Job:
    """A job of nine numbers that nobody has taken yet."""
    with tenant_scope(acme.pk):
        made = start_job(kind=kind.name, now=NOW, arguments={}, total=9)
    woken.clear()
    return made


def step(job: Job, *, at: dt.datetime = NOW) -> bool:
    """Do a slice as a worker does."""
    return run_slice(tenant_id=job.tenant.pk, job_id=job.pk, now=at, touched_at=at)


def state(job: Job) -> tuple[str, int, list[int]]:
    """Return status, progress and the numbers counted so far."""
    with tenant_scope(job.tenant.pk):
        job.refresh_from_db()
    return job.status, job.done, job.result.get("counted", [])


def beside(call: Callable[[], Any]) -> Any:
    """Run a call on another connection, to its end."""

    def run() -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(20)


def test_the_first_slice_cuts_the_job_and_wakes_the_other_worker(job: Job, woken: list[Any]) -> None:
    assert step(job)
    assert woken == [(job.tenant.pk, job.pk)]
    assert state(job) == ("running", 0, [])
    assert [step(job) for _ in range(9)] == [True] * 8 + [False]
    assert state(job) == ("done", 9, list(range(9)))
    assert (job.total, step(job)) == (9, False)


def test_another_worker_takes_another_lane_while_one_is_in_the_middle_of_its_slice(
    job: Job, kind: Counting
) -> None:
    step(job)
    also: list[Any] = []

    def meanwhile(number: int) -> None:
        if number == 0:
            also.append(beside(lambda: step(job)))
            also.append(state_beside(job))

    kind.at = meanwhile
    assert step(job)
    assert also == [True, ("running", 1, [3])]
    assert state(job) == ("running", 2, [0, 3])


def state_beside(job: Job) -> Any:
    """Return what others see."""
    return beside(lambda: state(Job(pk=job.pk, tenant=job.tenant)))


def test_two_workers_until_the_end_count_each_number_once(job: Job) -> None:
    together = threading.Barrier(2)

    def work() -> None:
        try:
            together.wait(10)
            while step(job):
                pass
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: work(), range(2)))
    while step(job):  # one of them may have stopped while the other cut the job
        pass
    assert state(job) == ("done", 9, list(range(9)))


def test_a_worker_killed_in_a_slice_leaves_its_lane_as_it_was(job: Job, kind: Counting) -> None:
    def die(number: int) -> None:
        if number == 1:
            kind.at = lambda _: None
            raise KeyboardInterrupt

    kind.at = die
    step(job)
    step(job)
    with pytest.raises(KeyboardInterrupt):
        step(job)
    assert state(job) == ("running", 1, [0])
    while step(job):
        pass
    assert state(job) == ("done", 9, list(range(9)))


def test_who_cancels_keeps_what_the_running_slice_does_and_nothing_follows(job: Job, kind: Counting) -> None:
    def cancel() -> None:
        with tenant_scope(job.tenant.pk):
            assert cancel_job(job_id=job.pk, now=NOW)

    step(job)
    kind.at = lambda number: beside(cancel)
    assert not step(job)
    assert state(job) == ("cancelled", 1, [0])
    assert not step(job)


def test_a_lane_that_always_breaks_ends_the_job_and_what_was_done_is_kept(job: Job, kind: Counting) -> None:
    def broken(number: int) -> None:
        if number == 1:
            raise ValueError("No")

    kind.at = broken
    step(job)
    step(job)
    assert [step(job) for _ in range(MOST_ATTEMPTS)] == [True] * (MOST_ATTEMPTS - 1) + [False]
    assert state(job) == ("failed", 1, [0])
    assert job.error.startswith("This part could not be done")
    assert not step(job)


def test_a_job_that_stood_still_is_taken_up_by_as_many_as_before(job: Job, woken: list[Any]) -> None:
    step(job)
    step(job)
    woken.clear()
    later = NOW + STALLED_AFTER + dt.timedelta(seconds=1)
    assert step(job, at=later)
    assert woken == [(job.tenant.pk, job.pk)]
    assert step(job, at=later)
    assert len(woken) == 1


def test_one_worker_a_job_cuts_nothing(job: Job, settings: Settings, woken: list[Any]) -> None:
    settings.JOB_WORKERS = 1
    assert [step(job) for _ in range(9)] == [True] * 8 + [False]
    assert state(job) == ("done", 9, list(range(9)))
    with tenant_scope(job.tenant.pk):
        assert not JobLane.objects.exists()
    assert woken == []
