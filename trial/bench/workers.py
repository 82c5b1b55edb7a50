"""Real Celery workers for a benchmark, and how much memory they took at their peak."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Workers:
    """A Celery worker with some prefork children."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self.log = process, log
        self.peak_kib = 0

    def children(self) -> list[int]:
        """Return the pids of the prefork children."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def measure(self) -> None:
        """Note the children's peak memory so far (VmHWM; Linux only, elsewhere 0)."""
        for pid in self.children():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            peak = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
            self.peak_kib = max(self.peak_kib, *peak)


@contextmanager
def celery_workers(number: int, *, log: Path) -> Iterator[Workers]:
    """Start number prefork children that take tasks from the configured broker; stop them at the end."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "config.celery",
        "worker",
        "-c",
        str(number),
        "-l",
        "WARNING",
    ]
    command += ["--without-gossip", "--without-mingle", "-n", f"bench-{os.getpid()}@%h"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, "MILLRACE_DB_POOL": "0"}
        )
        workers = Workers(process, log)
        try:
            _wait_ready(workers, number)
            yield workers
        finally:
            process.terminate()
            # A child of billiard may wait half a minute for the parent to take note of its last task.
            process.wait(timeout=90)


def _wait_ready(workers: Workers, number: int) -> None:
    # On a machine that others use as well, importing the application alone may take more than a minute.
    deadline = time.monotonic() + 300
    while len(workers.children()) < number:
        if workers.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The workers did not start: {workers.log.read_text()[-2000:]}")
        time.sleep(0.1)
    time.sleep(1.0)
