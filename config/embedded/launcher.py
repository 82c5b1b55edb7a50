"""Brings the environment a process needs: servers named by it are used, missing ones are started and shared.

Every process holds a share (a shared file lock) while it lives; the last one out stops the servers, unless
`python -m config.embedded start` asked to keep them. The kernel lets go of a killed process's share.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from typing import Any

from config.embedded import roles
from config.embedded.home import Home, Usage
from config.embedded.postgres import Postgres, Running
from config.embedded.valkey import Valkey

_share: Usage | None = None
_owner_pid: int | None = None


def ensure_environment() -> None:
    """Set DATABASE_URL, DATABASE_OWNER_URL, DATABASE_BACKUP_URL and REDIS_URL where absent; safe to call twice.

    Raises EmbeddedProblem, whose text tells the person what to do.
    """
    own_database, own_redis = "DATABASE_URL" not in os.environ, "REDIS_URL" not in os.environ
    if own_database or own_redis:
        home = Home.open()
        with home.locked():
            _take_share(home)
            found = start(home, database=own_database, redis=own_redis)
        for name, value in found.items():
            os.environ.setdefault(name, value)
        if own_database:
            # Only beside a database of our own: a real server's operator sets a key of their own.
            os.environ.setdefault("MILLRACE_SECRET_KEY", home.secret("django"))


def _take_share(home: Home) -> None:
    global _share, _owner_pid
    if _share is None or _owner_pid != os.getpid():
        _share, _owner_pid = Usage(home), os.getpid()
        atexit.register(_leave, home)


def _leave(home: Home) -> None:
    """Give up this process's share; the last one stops what nobody asked to keep."""
    global _share
    if _share is None or _owner_pid != os.getpid():
        return
    with home.locked():
        share, _share = _share, None
        if share.leave() and not home.state().get("keep"):
            stop(home)


def start(home: Home, *, database: bool = True, redis: bool = True, keep: bool = False) -> dict[str, str]:
    """Return the variables of the running servers, started where they do not answer; call under `Home.locked`."""
    state = home.state()
    state["keep"] = keep or bool(state.get("keep"))
    found: dict[str, str] = {}
    if database:
        running = _running_or_started(Postgres(home), state, "postgres")
        found |= _provisioned(home, running, state)
    if redis:
        running = _running_or_started(Valkey(home), state, "valkey")
        found["REDIS_URL"] = Valkey(home).url(running.port)
    home.write_state(state)
    return found


def _running_or_started(server: Postgres | Valkey, state: dict[str, Any], name: str) -> Running:
    wanted = state.get(name, {}).get("port", 0)
    running = server.running() or server.start(wanted)
    state[name] = {**state.get(name, {}), "pid": running.pid, "port": running.port}
    return running


def _provisioned(home: Home, running: Running, state: dict[str, Any]) -> dict[str, str]:
    passwords = roles.Passwords(
        owner=home.secret("owner"), app=home.secret("app"), backup=home.secret("backup")
    )
    superuser = Postgres(home).url(running.port)
    if state["postgres"].get("roles") != roles.VERSION:
        roles.provision(superuser, passwords)
        state["postgres"]["roles"] = roles.VERSION
    return roles.addresses(superuser, passwords)


def stop(home: Home) -> list[str]:
    """Stop what runs and return its names; call under `Home.locked`."""
    stopped = []
    ways: list[tuple[str, Postgres | Valkey]] = [("PostgreSQL", Postgres(home)), ("Valkey", Valkey(home))]
    for name, server in ways:
        running = server.running()
        if running:
            server.stop(running)
            stopped.append(name)
    state = home.state()
    state["keep"] = False
    home.write_state(state)
    return stopped


def destroy(home: Home) -> None:
    """Remove the stopped database's folder, wherever it lies; call under `Home.locked`."""
    Postgres(home).destroy()


def report(home: Home, write: Callable[[str], object]) -> bool:
    """Write one line for each server; true when both run."""
    found = {"PostgreSQL": Postgres(home).running(), "Valkey": Valkey(home).running()}
    for name, running in found.items():
        write(f"{name}: port {running.port}, process {running.pid}" if running else f"{name}: not running")
    return all(found.values())
