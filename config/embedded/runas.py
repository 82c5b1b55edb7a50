"""As whom PostgreSQL runs and where its data lie: it refuses root, and root's folders are closed to others.

An ordinary user runs it as itself. Root runs it as `postgres` or `nobody`; where such a user cannot reach the
folder, root runs it in a user namespace in which root is an ordinary user; where that is not allowed, data and
binaries live in /var/tmp.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class Identity(TypedDict, total=False):
    """As whom a child runs, as subprocess takes it."""

    user: int
    group: int
    extra_groups: list[str | int]


UNSHARE = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


@dataclass
class RunAs:
    """How to run one server: `user` is set only where root steps down to it, `prefix` only in a namespace."""

    data: Path
    user: pwd.struct_passwd | None = None
    prefix: tuple[str, ...] = ()

    @classmethod
    def find(cls, folder: Path) -> RunAs:
        """Decide for the server folder; folders that exist keep the way they were made."""
        data = folder / "data"
        if os.geteuid() != 0:
            return cls(data)
        elsewhere = Path("/var/tmp") / f"millrace-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"  # noqa: S108
        if elsewhere.exists() and elsewhere.stat().st_uid == 0:
            return cls(elsewhere / "data", user=_ordinary_user())
        if data.exists():
            owner = data.stat().st_uid
            return cls(data, prefix=tuple(UNSHARE)) if owner == 0 else cls(data, user=pwd.getpwuid(owner))
        user = _ordinary_user()
        if _reaches(user, folder):
            return cls(data, user=user)
        if _namespaces_work():
            return cls(data, prefix=tuple(UNSHARE))
        elsewhere.mkdir(mode=0o711)
        return cls(elsewhere / "data", user=user)

    def prepare(self) -> None:
        """Make the empty data folder and give it to the server's user."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.own(self.data, 0o700)

    def own(self, path: Path, mode: int) -> None:
        """Give a file to the server's user."""
        path.chmod(mode)
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def reachable(self, binaries: Path) -> Path:
        """Return binaries that the server's user can run: a virtual environment under /root is closed to it."""
        if not self.user or _runs(self.user, binaries / "postgres"):
            return binaries
        if _namespaces_work() and not self.data.exists():
            self.prefix, self.user = tuple(UNSHARE), None
            return binaries
        return _copied(binaries)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run to the end and return what it said."""
        return subprocess.run(
            [*self.prefix, *command],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
            **self._identity(),
        )

    def spawn(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        """Start in a session of its own, so that Ctrl-C in the terminal reaches us and not the server."""
        with log.open("ab") as handle:
            return subprocess.Popen(
                [*self.prefix, *command],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                start_new_session=True,
                env=_environment(),
                **self._identity(),
            )

    def _identity(self) -> Identity:
        if not self.user:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    kept = {"PATH", "LD_LIBRARY_PATH", "TZ", "TMPDIR"}
    return {key: value for key, value in os.environ.items() if key in kept} | {"LC_ALL": "C", "LANG": "C"}


def _ordinary_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return pwd.struct_passwd(("nobody", "x", 65534, 65534, "", "/", "/bin/false"))


def _reaches(user: pwd.struct_passwd, folder: Path) -> bool:
    """Return whether the user can walk down to the folder."""
    return _as(user, ["ls", "-d", f"{folder}/."])


def _runs(user: pwd.struct_passwd, program: Path) -> bool:
    return _as(user, [str(program), "--version"])


def _as(user: pwd.struct_passwd, command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            cwd="/",
            capture_output=True,
            check=False,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )
    except OSError:
        return False
    return done.returncode == 0


def _namespaces_work() -> bool:
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def _copied(binaries: Path) -> Path:
    """Copy an install to an open folder; its libraries are found relative to it, so the layout stays."""
    install = binaries.parent
    target = Path("/var/tmp") / f"millrace-postgres-{hashlib.sha256(str(install).encode()).hexdigest()[:12]}"  # noqa: S108
    copy = target / install.parent.name / install.name
    if not (copy / "bin" / "postgres").exists():
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name, dirs_exist_ok=True)
        shutil.copytree(install, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("include"))
        for path in [target, *target.rglob("*")]:
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    return copy / "bin"
