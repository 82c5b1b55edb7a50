"""The folder `.millrace/`: data, secrets, locks and the state file of the embedded servers.

Must not know what a server is; it only keeps their facts.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.problem import EmbeddedProblem

PROJECT = Path(__file__).resolve().parent.parent.parent
# A fresh PostgreSQL, its log and a demo tenant need about this much.
ROOM_NEEDED = 400 * 1024 * 1024


@dataclass(frozen=True)
class Home:
    """Paths under one Millrace home; make it with `Home.open()`."""

    path: Path

    @classmethod
    def open(cls) -> Home:
        """Return the home named by MILLRACE_HOME or the project's `.millrace`, made if needed."""
        path = Path(os.environ.get("MILLRACE_HOME") or PROJECT / ".millrace").expanduser().absolute()
        try:
            # Passable but not listable: as root the database runs as another user and must reach its folder.
            path.mkdir(mode=0o711, parents=True, exist_ok=True)
            for name in ("logs", "media"):
                (path / name).mkdir(mode=0o700, exist_ok=True)
            (path / "start.lock").touch(mode=0o600)
            (path / "in-use.lock").touch(mode=0o600)
        except PermissionError as error:
            raise EmbeddedProblem(
                f"{path} cannot be written by this user (was it made by another one, perhaps root?). "
                f"Remove it, or set MILLRACE_HOME to a folder of your own."
            ) from error
        except OSError as error:
            raise disk_problem(error, path) from error
        return cls(path)

    def require_room(self) -> None:
        """Raise where the disk has no room for a new database."""
        free = shutil.disk_usage(self.path).free
        if free < ROOM_NEEDED:
            raise EmbeddedProblem(
                f"The disk is full: {self.path} has {free // 2**20} MiB left, Millrace needs about "
                f"{ROOM_NEEDED // 2**20} MiB. Free some, or set MILLRACE_HOME to a folder on another disk."
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock under which servers are started and stopped."""
        with (self.path / "start.lock").open("r+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def state(self) -> dict[str, Any]:
        """Return what the last process wrote about the servers; empty if nothing readable is there."""
        try:
            found = json.loads((self.path / "state.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state file in one step."""
        self.write_private("state.json", json.dumps(state, indent=2) + "\n")

    def secret(self, name: str) -> str:
        """Return the named secret, made up at first use and kept for this user only."""
        path = self.path / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(32)
            self.write_private("secrets.json", json.dumps(known, indent=2) + "\n")
        return known[name]

    def write_private(self, name: str, text: str) -> Path:
        """Write a 0600 file by rename, so that no reader ever sees half of it."""
        path = self.path / name
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
                handle.write(text)
            part.replace(path)
        except OSError as error:
            raise disk_problem(error, path) from error
        return path


def disk_problem(error: OSError, path: Path) -> EmbeddedProblem:
    """Return the message for a failed write."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return EmbeddedProblem(
            f"The disk is full: {path} could not be written. Free some room and try again."
        )
    return EmbeddedProblem(f"{path} could not be written: {error.strerror}.")


class Usage:
    """This process's share in the servers: a shared lock, let go by the kernel even after kill -9."""

    def __init__(self, home: Home) -> None:
        self._handle = (home.path / "in-use.lock").open("r+")
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Give the share up; true when nobody else holds one (call it under `Home.locked`)."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            # The lock belongs to the open file, which a forked child may share: let go of it explicitly.
            fcntl.flock(self._handle, fcntl.LOCK_UN)
            self._handle.close()
        return True
