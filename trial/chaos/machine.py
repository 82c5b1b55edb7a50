"""The servers and workers of a chaos run: started, killed without warning, started again at the same address."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import launcher
from config.embedded.home import PROJECT, Home
from config.embedded.postgres import Postgres
from config.embedded.process import alive, wait_until
from config.embedded.valkey import Valkey

WORKERS = 2
CHILDREN = 2


@dataclass
class Machine:
    """One home with its two servers and its workers."""

    home: Home
    log: Path
    workers: list[subprocess.Popen[bytes] | None] = field(default_factory=lambda: [None] * WORKERS)
    sessions: list[int] = field(default_factory=list)

    @classmethod
    def open(cls) -> Machine:
        """Start the servers of MILLRACE_HOME and put their addresses into the environment."""
        home = Home.open()
        with home.locked():
            os.environ.update(launcher.start(home, keep=True))
        os.environ["MILLRACE_SECRET_KEY"] = home.secret("django")
        return cls(home, home.path / "logs" / "workers.log")

    @property
    def superuser_url(self) -> str:
        """The address at which the auditor sees every tenant's rows."""
        return Postgres(self.home).url(self._port("postgres"), "millrace")

    def _port(self, name: str) -> int:
        return int(self.home.state()[name]["port"])

    # --- workers ----------------------------------------------------------------------------------------------------

    def look_after_workers(self) -> None:
        """Start every worker that is not there."""
        for number, process in enumerate(self.workers):
            if process is None or process.poll() is not None:
                self.workers[number] = self._start_worker(number)

    def _start_worker(self, number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--pool", "prefork"]
        command += [
            "--concurrency",
            str(CHILDREN),
            "--without-gossip",
            "--without-mingle",
            "--loglevel",
            "WARNING",
        ]
        command += ["--hostname", f"chaos-{number}-{time.monotonic_ns()}@%h"]
        with self.log.open("ab") as handle:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                start_new_session=True,
            )
        self.sessions.append(process.pid)
        return process

    def children(self) -> list[int]:
        """Return the pids of the prefork children."""
        found: list[int] = []
        for process in self.workers:
            if process is not None and process.poll() is None:
                path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
                with contextlib.suppress(OSError):
                    found += [int(pid) for pid in path.read_text().split()]
        return found

    # --- kills --------------------------------------------------------------------------------------------------------

    def kill(self, target: str, dice: random.Random) -> bool:
        """Kill `child`, `worker`, `valkey` or `postgres` without warning, and start the server again where it was
        one; say whether there was anything to kill."""
        return bool(getattr(self, f"_kill_{target}")(dice))

    def _kill_child(self, dice: random.Random) -> bool:
        children = self.children()
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(children), signal.SIGKILL)
        return bool(children)

    def _kill_worker(self, dice: random.Random) -> bool:
        living = [process for process in self.workers if process is not None and process.poll() is None]
        if not living:
            return False
        process = dice.choice(living)
        if dice.random() < 0.5:
            # All at once, as when the machine loses its power; else its children outlive it for a moment.
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        return True

    def _kill_valkey(self, dice: random.Random) -> bool:
        return self._restart(Valkey(self.home), "valkey", signal.SIGKILL, dice)

    def _kill_postgres(self, dice: random.Random) -> bool:
        # SIGQUIT is the immediate stop: no checkpoint, the next start recovers from the log.
        return self._restart(Postgres(self.home), "postgres", signal.SIGQUIT, dice)

    def _restart(
        self, server: Valkey | Postgres, name: str, how: signal.Signals, dice: random.Random
    ) -> bool:
        running = server.running()
        if running is None:
            return False
        os.kill(running.pid, how)
        wait_until(lambda: not alive(running.pid), seconds=30)
        time.sleep(dice.uniform(0.0, 0.7))
        for _ in range(50):
            started = server.start(running.port)
            if started.port == running.port:
                return True
            server.stop(started)
            time.sleep(0.2)
        raise RuntimeError(f"{name} did not come back at port {running.port}")

    def close(self) -> None:
        """End everything that was started."""
        for session in self.sessions:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(session, signal.SIGKILL)
        for process in self.workers:
            if process is not None:
                process.wait()
        with self.home.locked():
            launcher.stop(self.home)
            launcher.destroy(self.home)
