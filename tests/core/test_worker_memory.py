"""A worker's process does not keep what one large piece of work took."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.embedded.process import wait_until
from trial.bench.workers import celery_workers

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_a_process_over_the_limit_is_replaced_after_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Less than any process takes: the first tick's task is one too many.
    monkeypatch.setenv("MILLRACE_WORKER_MEMORY_MIB", "64")
    with celery_workers(1, log=tmp_path / "worker.log") as crew:
        first = crew.children()
        assert len(first) == 1
        assert wait_until(lambda: bool(crew.children()) and crew.children() != first, seconds=60)


def test_a_process_within_the_limit_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_WORKER_MEMORY_MIB", "2000")
    with celery_workers(1, log=tmp_path / "worker.log") as crew:
        first = crew.children()
        assert not wait_until(lambda: crew.children() != first, seconds=6)
