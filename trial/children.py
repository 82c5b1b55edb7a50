"""The runner's children: started with a log each, started again when they die, stopped together.

Knows processes; must not know what they serve (trial/run.py does).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 30
"""Seconds a child must live to count as sound again, and the longest pause before it is started again."""


def _end_with_parent() -> None:
    """Ask Linux to end the child when the runner dies, also by kill -9; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@dataclass
class Child:
    """One process to keep alive."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    start_after: float = 0.0

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C reaches the runner, which stops the children in order."""
        with self.log.open("ab") as handle:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  nothing has started threads yet
            )
        self.started_at = time.monotonic()

    def look_after(self, say: Callable[[str], None]) -> None:
        """Notice a death and start again, each time after a longer pause."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_after:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.deaths = 1 if now - self.started_at > PATIENCE else self.deaths + 1
        pause = min(2 ** (self.deaths - 1), PATIENCE)
        self.process, self.start_after = None, now + pause
        say(f"{self.name} ended (code {code}); starting again in {pause} s. Its log: {self.log}")

    def signal(self, sign: signal.Signals) -> None:
        """Send a signal to the child's whole session."""
        if self.process and self.process.poll() is None:
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                return


@dataclass
class Children:
    """All of them."""

    say: Callable[[str], None]
    all: list[Child] = field(default_factory=list)

    def look_after(self) -> None:
        """Start again what has died."""
        for child in self.all:
            child.look_after(self.say)

    def stop(self, seconds: float = 10) -> None:
        """Let them finish what they are at; end by force who has not after `seconds`."""
        for child in self.all:
            if child.process and child.process.poll() is None:
                # The child alone: a worker's main process decides itself how its own children end.
                child.process.terminate()
        deadline = time.monotonic() + seconds
        for child in self.all:
            if child.process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.1, deadline - time.monotonic()))
                child.signal(signal.SIGKILL)
