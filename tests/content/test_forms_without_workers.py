"""A form's answer is taken and kept though nothing else runs: no worker, no Redis. Measured in CPU."""

from __future__ import annotations

import datetime as dt
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from structlog.testing import capture_logs
from time_machine import Traveller

from accounts.models import Tenant
from config.embedded.process import wait_until
from content.forms.page import make_page
from content.forms.proof import find_proof
from tests.content.forms import LATER, PHONE, Booth, Visitor, field
from tests.support.statements import statements
from trial.mailbox import Mailbox

POSTS = 40
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock() -> Iterator[Traveller]:
    """Let the real clock say what the tests pass elsewhere."""
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


def test_answers_sent_while_no_worker_runs_are_all_done_when_one_comes_back(
    acme: Tenant, smtp_sink: Mailbox, request: pytest.FixtureRequest
) -> None:
    booth = Booth(acme)
    form = booth.form(double_opt_in=True)
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        for number in range(3):
            visitor = Visitor(booth.path(form), clock)
            assert visitor.send(email=f"a{number}@post.test").status_code == 302
    assert [one.status for one in booth.submissions()] == ["awaiting"] * 3
    process: subprocess.Popen[bytes] = request.getfixturevalue("worker")
    assert process.poll() is None
    assert wait_until(lambda: len(list(smtp_sink.summaries())) == 3, seconds=90)
    found = sorted(to for mail in smtp_sink.summaries() for to in mail.recipients)
    assert found == [f"a{number}@post.test" for number in range(3)]


def test_without_redis_an_answer_is_taken_and_the_visitor_thanked(
    acme: Tenant, clock: Traveller, settings: Any
) -> None:
    booth = Booth(acme)
    form = booth.form()
    visitor = Visitor(booth.path(form), clock)
    nowhere = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "default": nowhere}
    caches["default"].close()
    assert visitor.send(email="ada@post.test")["Location"] == f"{visitor.path}thanks/"
    assert [one.status for one in booth.submissions()] == ["processed"]


@pytest.fixture
def silent_redis() -> Iterator[int]:
    """A server that lets everybody in and never says a word: its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def test_a_redis_that_says_nothing_holds_no_visitor_for_long(
    acme: Tenant, clock: Traveller, settings: Any, silent_redis: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    booth = Booth(acme)
    path = booth.path(booth.form())
    monkeypatch.setattr("core.limits._silent", {"until": 0.0})
    monkeypatch.setattr("core.limits.SILENT_SECONDS", 3_600)
    options = dict.fromkeys(settings.CACHES["default"]["OPTIONS"], 0.2)
    assert set(options) == {"socket_timeout", "socket_connect_timeout"}
    silent = {
        **settings.CACHES["default"],
        "LOCATION": f"redis://127.0.0.1:{silent_redis}/0",
        "OPTIONS": options,
    }
    settings.CACHES = {**settings.CACHES, "default": silent}
    caches["default"].close()
    with capture_logs() as told:
        for number in range(3):
            visitor = Visitor(path, clock)
            assert visitor.send(email=f"a{number}@post.test")["Location"] == f"{path}thanks/"
    assert [one.status for one in booth.submissions()] == ["processed"] * 3
    # One waited for the limits; nobody else did.
    assert [one["event"] for one in told].count("limit_not_counted") == 1


EVERYTHING = ("with everything that a form can do", 85)
PLAIN = ("with a contact alone", 40)


@pytest.mark.parametrize("what", [PLAIN, EVERYTHING], ids=["plain", "everything"])
def test_a_post_asks_the_database_a_bounded_number_of_things(
    acme: Tenant, clock: Traveller, what: tuple[str, int]
) -> None:
    """The figures of docs/performance.md are printed with -s; a post may not ask more than the budget."""
    name, most = what
    booth = Booth(acme)
    actions = {
        "add_to_selections": [booth.fans.pk], "add_to_projects": [booth.fair.pk], "respond_email": booth.email.pk,
        "add_interests": [booth.interests[0].pk], "new_category": booth.category.pk, "request": True,
    }  # fmt: skip
    form = booth.form(
        field("why", "textarea"), field("stars", "rating"), actions=actions if what is EVERYTHING else {}
    )
    path = booth.path(form)
    client = Visitor(path, clock).client
    with booth.scope():
        tokens = [make_page(form, None) for _ in range(POSTS)]
    proofs = [find_proof(token) for token in tokens]
    clock.shift(dt.timedelta(seconds=5))
    costs, asked = [], []
    for number, (token, proof) in enumerate(zip(tokens, proofs, strict=True)):
        answers = {"email": f"p{number}@post.test", "stars": "5", "why": "x" * 900}
        if what is EVERYTHING:
            answers |= {"company": f"Mill {number}", "consent": "on", "news": "on"}
        data = {"page": token, "proof": proof, **{f"f_{key}": value for key, value in answers.items()}}
        with statements() as seen:
            begun = time.process_time()
            response = client.post(path, data, headers=PHONE)
            costs.append(time.process_time() - begun)
        asked.append(len(seen))
        assert response.status_code == 302
    assert [one.status for one in booth.submissions()] == ["processed"] * POSTS
    costs.sort()
    print(  # noqa: T201 - a measurement for docs/performance.md
        f"{name}: {asked[-1]} statements, CPU of the web process: median {costs[POSTS // 2] * 1000:.1f} ms,"
        f" p95 {costs[POSTS * 95 // 100] * 1000:.1f} ms"
    )
    assert max(asked) <= most
