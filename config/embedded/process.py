"""Processes and ports: is this pid alive, stop it, find a port nobody listens on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from config.embedded.problem import EmbeddedProblem


def free_port(wanted: int = 0) -> int:
    """Return `wanted` if nobody listens there, else any free port of the loopback interface."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedProblem("No port of 127.0.0.1 is free.")


def alive(pid: int) -> bool:
    """Return whether the process runs; a zombie, which nobody may ever collect, does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def command_name(pid: int) -> str:
    """Return the short name of the process's program, empty if it is gone."""
    return _ps(pid, "comm")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return _ps(pid, "stat")[:1]


def _ps(pid: int, column: str) -> str:
    if column == "comm" and Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            return ""
    done = subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return Path(done.stdout.strip()).name


def collect(child: subprocess.Popen[bytes]) -> None:
    """Wait for the child in the background: killed while we live, it would stay in the table as a zombie."""
    threading.Thread(target=child.wait, name=f"collect-{child.pid}", daemon=True).start()


def attached(memory: str) -> bool:
    """Return whether any process still uses the System V memory segment (known on Linux only)."""
    try:
        lines = Path("/proc/sysvipc/shm").read_text().splitlines()
    except OSError:
        return False
    head = lines[0].split()
    rows = (dict(zip(head, line.split(), strict=False)) for line in lines[1:])
    return any(row["shmid"] == memory and int(row["nattch"]) > 0 for row in rows)


def stop(pid: int, *, first: signal.Signals, seconds: float = 15) -> None:
    """Ask the process to end with `first`; kill it after `seconds`."""
    for sign in (first, signal.SIGKILL):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        if wait_until(lambda: not alive(pid), seconds=seconds):
            return


def wait_until(holds: Callable[[], bool], *, seconds: float) -> bool:
    """Poll until the condition holds; false after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
