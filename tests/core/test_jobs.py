"""A job's slices go by the tenant's own clock, its signs of life by the real one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import Tenant
from core import clock
from core.jobs import Slice, job_kinds, start_job
from core.models import Job
from core.tasks import run_job
from core.tenancy import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)


class Noting:
    """A kind of job that notes the time it is given."""

    name = "noting"
    seen: list[dt.datetime]

    def __init__(self) -> None:
        self.seen = []

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Note the time; two slices are all."""
        self.seen.append(now)
        return Slice({}, len(self.seen), 2, len(self.seen) == 2)


def test_a_trials_job_goes_by_its_own_clock(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    Tenant.objects.filter(pk=acme.pk).update(is_trial=True, clock_offset=dt.timedelta(days=3))
    kind, again = Noting(), []
    monkeypatch.setitem(job_kinds()._kinds, kind.name, kind)
    monkeypatch.setattr(run_job, "delay", lambda *given: again.append(given))
    with tenant_scope(acme.pk):
        job = start_job(kind=kind.name, now=clock.now() + dt.timedelta(days=3), arguments={})
    run_job(acme.pk, job.pk)
    run_job(acme.pk, job.pk)
    ahead = [moment - clock.now() for moment in kind.seen]
    assert all(dt.timedelta(days=2, hours=23) < gap < dt.timedelta(days=3) for gap in ahead)
    with tenant_scope(acme.pk):
        job.refresh_from_db()
    assert job.status == Job.Status.DONE
    assert abs(job.updated_at - clock.now()) < dt.timedelta(minutes=1)
    assert again == [(acme.pk, job.pk)] * 2  # once by the start, once by the first slice


def test_a_job_of_a_trial_that_is_ahead_is_seen_to_stand_still(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from participants.due import due_work

    Tenant.objects.filter(pk=acme.pk).update(is_trial=True, clock_offset=dt.timedelta(days=3))
    kind: Any = Noting()
    monkeypatch.setitem(job_kinds()._kinds, kind.name, kind)
    monkeypatch.setattr(run_job, "delay", lambda *_: None)
    with tenant_scope(acme.pk):
        job = start_job(kind=kind.name, now=clock.now() + dt.timedelta(days=3), arguments={})
    assert due_work(clock.now()).jobs == []
    assert due_work(clock.now() + dt.timedelta(seconds=30)).jobs == [(acme.pk, job.pk)]
