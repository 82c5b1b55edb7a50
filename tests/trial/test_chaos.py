"""A small chaos run: every promise of docs/reliability.md holds after kills, and the auditor notices what does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trial.alone import OURS
from trial.chaos.audit import FINISH, OUT, _read

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.services
def test_every_promise_holds_after_kills() -> None:
    command = [
        sys.executable,
        "-m",
        "trial.chaos",
        "--participants",
        "150",
        "--seconds",
        "12",
        "--seed",
        "7",
        "--json",
    ]
    environment = {key: value for key, value in os.environ.items() if not OURS.match(key)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["participants"] == 150
    assert figures["kills"] > 0
    assert (figures["duplicates"], figures["lost"]) == (0, 0)
    assert figures["unknown"] <= figures["in_the_air"]
    assert figures["messages"] > 0
    assert figures["webhooks"] > 0


def test_the_auditor_reads_the_ways_of_a_document() -> None:
    def step(name: str, *branches: dict[str, object]) -> dict[str, object]:
        return {"id": name, "branches": list(branches)}

    left: dict[str, object] = {"id": "left", "steps": [step("inside")], "exit": None}
    away: dict[str, object] = {"id": "away", "steps": [step("bye")], "exit": {"flow": None}}
    ways: dict[tuple[str | None, str | None], str] = {}
    first = _read([step("one"), step("split", left, away), step("last")], FINISH, ways)
    assert first == "one"
    assert ways == {
        ("one", None): "split",
        ("split", "left"): "inside",
        ("inside", None): "last",
        ("split", "away"): "bye",
        ("bye", None): OUT,
        ("last", None): FINISH,
    }
