"""The embedded servers: started once, shared, stopped by the last who used them, and sound after a kill -9."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import launcher, roles
from config.embedded.home import Home
from config.embedded.postgres import Postgres, candidates, choose_binaries
from config.embedded.problem import EmbeddedProblem
from config.embedded.process import alive, free_port, wait_until
from config.embedded.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.services
COMMAND = """
import os, sys
from config.embedded import ensure_environment
ensure_environment()
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """An open folder: pytest closes its own, and as root the database runs as a user that must reach its data."""
    made = Path(tempfile.mkdtemp(prefix="millrace-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A Millrace home of its own, as on a machine without any server; its data stay from test to test."""
    for name in (
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "DATABASE_BACKUP_URL",
        "REDIS_URL",
        "MILLRACE_SECRET_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MILLRACE_HOME", str(folder / "home"))
    made = Home.open()
    yield made
    with made.locked():
        launcher.stop(made)


def start_command() -> subprocess.Popen[str]:
    """Start a process that uses the servers until its input ends."""
    command = [sys.executable, "-c", COMMAND]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def addresses(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stdout
    database, queue = process.stdout.readline().split()
    return database, queue


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def test_commands_share_the_servers_and_the_last_one_stops_them(home: Home) -> None:
    first, second = start_command(), start_command()
    assert addresses(first) == addresses(second)
    end(first)
    assert launcher.report(home, lambda _: None)
    end(second)
    assert Postgres(home).running() is None
    assert Valkey(home).running() is None


def test_many_that_start_at_once_get_one_server(home: Home) -> None:
    processes = [start_command() for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        assert len(set(pool.map(addresses, processes))) == 1
    for process in processes:
        end(process)


def test_what_was_committed_survives_a_kill_of_servers_and_command(home: Home) -> None:
    killed = start_command()
    database, queue = addresses(killed)
    owner = database.replace(roles.APP, roles.OWNER).replace(home.secret("app"), home.secret("owner"))
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('here')")
    with redis.Redis.from_url(queue) as client:
        client.set("kept", "here")
    pids = [running.pid for running in (Postgres(home).running(), Valkey(home).running()) if running]
    assert len(pids) == 2
    killed.kill()
    killed.communicate()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not any(alive(pid) for pid in pids), seconds=10)

    after = start_command()
    database, queue = addresses(after)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("here",)]
    with redis.Redis.from_url(queue) as client:
        # Valkey writes every second: what came within the last one may be gone, nothing else.
        assert client.get("kept") in {b"here", None}
    end(after)


def test_a_killed_command_leaves_servers_that_the_next_one_takes_over_and_stops(home: Home) -> None:
    killed = start_command()
    before = addresses(killed)
    killed.kill()
    killed.communicate()
    after = start_command()
    assert addresses(after) == before
    end(after)
    assert Postgres(home).running() is None


def test_a_state_file_that_lies_does_no_harm(home: Home) -> None:
    home.write_state(
        {"keep": False, "postgres": {"pid": os.getpid(), "port": 1}, "valkey": {"pid": 1, "port": 2}}
    )
    process = start_command()
    database, _ = addresses(process)
    psycopg.connect(database).close()
    end(process)


def test_a_pid_file_whose_number_belongs_to_another_program_does_not_stop_the_start(home: Home) -> None:
    end(start_command())
    path = Postgres(home).data / "postmaster.pid"
    path.write_text(f"{os.getpid()}\n{path.parent}\n0\n1\n\n127.0.0.1\n  1 999999\nready\n")
    process = start_command()
    psycopg.connect(addresses(process)[0]).close()
    end(process)


def test_a_taken_port_is_left_to_its_owner(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        home.write_state({"postgres": {"port": taken.getsockname()[1]}})
        assert free_port(taken.getsockname()[1]) != taken.getsockname()[1]
        process = start_command()
        assert f":{taken.getsockname()[1]}/" not in addresses(process)[0]
        end(process)


def test_secrets_and_state_are_for_the_owner_alone(home: Home) -> None:
    end(start_command())
    for name in ("secrets.json", "state.json", "valkey/valkey.conf"):
        assert (home.path / name).stat().st_mode & 0o077 == 0, name
    assert set(json.loads((home.path / "secrets.json").read_text())) >= {
        "app",
        "owner",
        "backup",
        "postgres",
        "valkey",
    }


def test_the_roles_have_the_rights_they_need_and_no_more(home: Home) -> None:
    process = start_command()
    database, _ = addresses(process)
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb FROM pg_roles"
            " WHERE starts_with(rolname, 'millrace_') ORDER BY 1"
        ).fetchall()
        held = connection.execute("SELECT current_setting('lock_timeout')").fetchone()
    assert found[:3] == [
        ("millrace_app", False, False, False),
        ("millrace_backup", False, True, False),
        ("millrace_owner", False, False, True),
    ]
    assert held == ("10s",)
    end(process)


def test_servers_named_by_the_environment_are_used_and_none_is_started(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@db.example/own")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    launcher.ensure_environment()
    assert os.environ["DATABASE_URL"] == "postgresql://somebody@db.example/own"
    assert "DATABASE_OWNER_URL" not in os.environ
    assert Postgres(home).running() is None
    assert Valkey(home).running() is None


def test_data_of_another_major_version_are_named_and_not_touched(home: Home, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(
        EmbeddedProblem, match=r"made by PostgreSQL 14, but only PostgreSQL .*make demo-reset"
    ):
        choose_binaries(data, candidates())
    assert (data / "PG_VERSION").read_text() == "14\n"


def test_a_full_disk_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(home.path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1024 * 1024))
    with pytest.raises(EmbeddedProblem, match=r"The disk is full: .* has 1 MiB left"):
        home.require_room()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that others cannot reach")
def test_root_keeps_its_data_in_a_folder_that_is_closed_to_others(home: Home, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    environment = {**os.environ, "MILLRACE_HOME": str(closed / "home")}
    for word in ("start", "status", "stop"):
        command = [sys.executable, "-m", "config.embedded", word]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
