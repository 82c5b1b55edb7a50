"""`make demo`: one command brings everything up, looks after it, and takes all of it down again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.process import alive, wait_until
from trial.children import Child
from trial.people import PEOPLE

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.services
OURS = re.compile(r"^(DATABASE_|REDIS_URL|MILLRACE_|PORT$|DJANGO_)")


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """The environment of a newcomer, with a Millrace home of its own."""
    folder = Path(tempfile.mkdtemp(prefix="millrace-demo-"))
    folder.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not OURS.match(key)}
    yield {**kept, "MILLRACE_HOME": str(folder / "home")}
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def static_files() -> Iterator[None]:
    """Leave the project's collected static files as they are found."""
    marker = ROOT / "staticroot"
    was_there = marker.exists()
    yield
    if not was_there:
        shutil.rmtree(marker, ignore_errors=True)


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "trial.run"], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def read_until(process: subprocess.Popen[str], word: str, seconds: float = 300) -> str:
    """Return what the process said up to the line with the word."""
    assert process.stdout
    said, deadline = "", time.monotonic() + seconds
    while word not in said and time.monotonic() < deadline:
        line = process.stdout.readline()
        if not line:
            break
        said += line
    assert word in said, said
    return said


def children_of(pid: int) -> dict[str, int]:
    """Return the runner's children: "web", "mail" or "worker" and process id."""
    found = {}
    listing = subprocess.run(
        ["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
    ).stdout
    for line in listing.splitlines()[1:]:
        child, parent, command = line.split(None, 2)
        if int(parent) == pid:
            for name, mark in {
                "web": "granian",
                "mail": "trial.sink",
                "sms": "trial.sms_sink",
                "worker": "celery",
            }.items():
                if mark in command:
                    found[name] = int(child)
    return found


def test_the_demo_starts_heals_and_stops(environment: dict[str, str], static_files: None) -> None:
    demo = start(environment)
    try:
        said = read_until(demo, "Ctrl-C stops everything")
        url = re.search(r"Millrace is running: (http://127\.0\.0\.1:\d+)", said)
        assert url, said
        assert all(person.email in said for person in PEOPLE)
        with urllib.request.urlopen(f"{url[1]}/mailbox/") as answer:
            assert "No mail yet" in answer.read().decode()

        second = subprocess.run(
            [sys.executable, "-m", "trial.run"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert f"Millrace is already running: {url[1]}" in second.stderr

        reset = subprocess.run(
            [sys.executable, "-m", "trial.reset"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert reset.returncode == 1
        assert "The demo is running: stop it first" in reset.stderr

        family = children_of(demo.pid)
        assert set(family) == {"web", "mail", "sms", "worker"}
        os.kill(family["mail"], signal.SIGKILL)
        assert "mail ended" in read_until(demo, "mail ended", seconds=60)
        assert wait_until(lambda: "mail" in children_of(demo.pid), seconds=60)

        family = children_of(demo.pid)
        demo.send_signal(signal.SIGINT)
        read_until(demo, "Your data are kept", seconds=90)
        assert demo.wait(30) == 0
        assert not [name for name, pid in family.items() if alive(pid)]
        status = [sys.executable, "-m", "config.embedded", "status"]
        assert (
            subprocess.run(status, cwd=ROOT, env=environment, capture_output=True, check=False).returncode
            == 3
        )
        _starts_again_on_the_same_port(environment, url[1])
    finally:
        demo.kill()
        demo.wait()


def _starts_again_on_the_same_port(environment: dict[str, str], url: str) -> None:
    began = time.monotonic()
    demo = start(environment)
    try:
        assert f"Millrace is running: {url}" in read_until(demo, "Ctrl-C stops everything")
        assert time.monotonic() - began < 120
        demo.terminate()
        assert demo.wait(90) == 0
    finally:
        demo.kill()
        demo.wait()
    reset = [sys.executable, "-m", "trial.reset"]
    assert subprocess.run(reset, cwd=ROOT, env=environment, check=False, capture_output=True).returncode == 0
    assert not (Path(environment["MILLRACE_HOME"]) / "postgres").exists()


def test_a_taken_port_is_named(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "trial.run"], cwd=ROOT, env={**environment, "PORT": str(port)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"Port {port} is taken. Name another (PORT=8080 make demo)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_child_that_keeps_dying_is_started_ever_more_slowly(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child("thing", [sys.executable, "-c", "raise SystemExit(3)"], {}, tmp_path / "log")
    child.start()

    def died_twice() -> bool:
        child.look_after(said.append)
        return len(said) == 2

    assert wait_until(died_twice, seconds=20)
    assert "thing ended (code 3); starting again in 1 s" in said[0]
    assert "thing ended (code 3); starting again in 2 s" in said[1]


def test_the_note_of_the_demo_is_for_its_owner_alone(environment: dict[str, str]) -> None:
    home = Path(environment["MILLRACE_HOME"])
    code = (
        "from trial.run import Runner; from config.embedded.home import Home; "
        "runner = Runner(Home.open()); print(runner.lay_environment())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads((home / "demo.json").read_text())["url"] == done.stdout.strip()
    assert (home / "demo.json").stat().st_mode & 0o077 == 0
