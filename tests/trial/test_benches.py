"""Benchmarks, small: each checks its own end state and raises WrongResult."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trial.alone import OURS
from trial.bench.designer import designer
from trial.bench.enrol import enrol
from trial.bench.forms import forms
from trial.bench.growth import growth
from trial.bench.intake import intake
from trial.bench.pages import SMALL, pages
from trial.bench.send import send
from trial.bench.track import track

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]


def test_a_selection_is_enrolled_by_its_job_with_the_verdicts_that_are_right_by_hand() -> None:
    figures = enrol(contacts=2_500, workers=1)
    assert figures["contacts"] == 2_500
    assert 0 < figures["enrolled"] < 2_500
    assert figures["contacts_per_second"] > 0
    assert figures["ratio"] > 0


def test_a_burst_of_events_enrols_wakes_and_marks_as_by_hand() -> None:
    figures = intake(events=300)
    assert figures["woken"] == figures["successes"] == 30
    assert figures["enrolled"] == 180
    assert figures["events_per_second"] > 0
    assert figures["ratio"] > 0


def test_the_cost_of_a_step_is_told_for_each_size() -> None:
    figures = growth(sizes=[50, 200], workers=1)
    assert figures["sizes"] == [50, 200]
    assert set(figures["microseconds_per_step"]) == {"50", "200"}
    assert figures["cost_ratio"] >= 1


def test_each_queued_message_is_handed_to_the_mail_server_once() -> None:
    figures = send(messages=250)
    assert figures["messages"] == 250
    assert figures["messages_per_second"] > 0
    assert figures["ratio"] > 0
    assert figures["mail_bytes"] > 5_000


def test_every_open_and_click_through_the_web_worker_is_recorded_once() -> None:
    figures = track(messages=40, connections=3)
    assert figures["messages"] == 40
    assert figures["clicks_per_second"] > 0
    assert figures["opens_per_second"] > 0
    assert figures["click_ms_p99"] >= figures["click_ms_median"] > 0
    assert figures["ratio"] > 0


def test_every_form_that_is_sent_without_workers_and_without_redis_is_kept() -> None:
    figures = forms(posts=10, contacts=50)
    assert (figures["posts"], figures["contacts"]) == (10, 50)
    for name in ("plain", "everything", "without_redis"):
        assert figures[f"{name}_ms_p95"] >= figures[f"{name}_ms_median"] > 0


def test_operations_on_a_flow_of_many_steps_are_done_and_undone_over_http() -> None:
    figures = designer(steps=16, operations=2)
    assert (figures["steps"], figures["operations"]) == (16, 2)
    for name in ("page", "duplicate", "undo"):
        assert figures[f"{name}_ms_p95"] >= figures[f"{name}_ms_median"] > 0


def test_pages_answer_with_as_many_queries_for_many_people_as_for_few() -> None:
    figures = pages(people=2 * SMALL, asks=1, workers=1)
    assert figures["people"] == 2_000
    assert figures["pages"] == len(figures["milliseconds"]) == len(figures["queries"])
    assert figures["slowest_milliseconds"] == max(figures["milliseconds"].values())
    assert figures["queries"]["participants"] > 5


def test_a_bench_by_itself_leaves_nothing_in_the_callers_database(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trial.bench", "criteria", "--contacts", "200", "--json"]
    environment = {key: value for key, value in os.environ.items() if not OURS.match(key)}
    # A caller's servers that nobody could reach: the run must not ask them.
    environment |= {"TMPDIR": str(tmp_path), "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    tmp_path.chmod(0o755)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["matching"] > 0
    assert list(tmp_path.iterdir()) == []
