"""A worker's process does not keep what one large piece of work took."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config import memory
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


def test_the_task_that_made_a_process_grow_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter([150.0, 160.0, 160.0, 791.0])
    monkeypatch.setattr(memory, "peak_mib", lambda: next(peaks))
    run = type("Task", (), {"name": "core.run_job"})()
    with capture_logs() as said:
        for job in (1, 2):
            memory.note()
            memory.tell(sender=run, args=(7, job))
    assert said == [
        {
            "event": "task_took_memory", "log_level": "warning", "task": "core.run_job", "arguments": [7, 2],
            "peak_mib": 791, "before_mib": 160,
        }
    ]  # fmt: skip


def test_the_peak_is_what_the_process_really_has() -> None:
    before = memory.peak_mib()
    assert 20 < before < 5_000
    taken = b"x" * (int(before + 200) * 1024 * 1024)
    assert memory.peak_mib() > before + 150
    del taken
