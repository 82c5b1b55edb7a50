"""`bench track`: clicks and opens through one web worker, beside a view that only redirects."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from types import MappingProxyType
from typing import Any

from django.conf import settings

from accounts.models import Tenant
from config.embedded.process import free_port
from core.tenancy import tenant_scope
from crm.models import Event
from delivery.models import Message
from delivery.tokens import MessageRef, Purpose, make_message_token
from trial.bench.asking import Answers, ask
from trial.bench.costs import costs_of
from trial.bench.engine import WrongResult
from trial.bench.mails import make_mails
from trial.bench.world import analyze

# As in production (Dockerfile).
THREADS = 16


def track(*, messages: int, connections: int, threads: int = THREADS) -> dict[str, Any]:
    """Return the figures of one run: every message is opened and its first link clicked once, by a person.

    A tenth is clicked one after the other, which tells how long one click takes; the rest over `connections` at the
    same time, as fast as they are answered, which tells how many there can be.

    Raises WrongResult where an answer is none, or one of them was not recorded exactly once. The floor is asked once
    before and once after; its mean counts.
    """
    mails = make_mails(messages)
    mails.queue(messages)
    with tenant_scope(mails.tenant.pk):
        Message.objects.update(status=Message.Status.SENT)
    analyze()
    clicks, opens = _paths(mails.tenant)
    tenth = messages // 10
    with web_worker("trial.bench.only_redirects:application", threads=threads) as (port, _):
        floor = [ask(port, clicks, connections=connections)]
    with web_worker("config.wsgi:application", threads=threads) as (port, pid):
        opened = ask(port, opens, connections=connections)
        one_by_one = ask(port, clicks[:tenth], connections=1)
        cost = costs_of([pid])
        before = cost()
        clicked = ask(port, clicks[tenth:], connections=connections)
        spent = cost().since(before)
    with web_worker("trial.bench.only_redirects:application", threads=threads) as (port, _):
        floor.append(ask(port, clicks, connections=connections))
    one_by_one.statuses.update(clicked.statuses)
    _check(mails.tenant, messages, opened, one_by_one.statuses, *floor)
    alone = sum(one.per_second for one in floor) / len(floor)
    return {
        "messages": messages,
        "connections": connections,
        "threads": threads,
        "clicks_per_second": round(clicked.per_second),
        "opens_per_second": round(opened.per_second),
        "one_click_ms_median": round(one_by_one.within(0.5), 2),
        "one_click_ms_p99": round(one_by_one.within(0.99), 2),
        "click_ms_median": round(clicked.within(0.5), 2),
        "click_ms_p99": round(clicked.within(0.99), 2),
        "open_ms_p99": round(opened.within(0.99), 2),
        "redirects_per_second": round(alone),
        "ratio": round(clicked.per_second / alone, 3),
        **spent.each(messages - tenth),
    }


def _paths(tenant: Tenant) -> tuple[list[str], list[str]]:
    """Return the addresses of every message's first link and of its pixel."""
    with tenant_scope(tenant.pk):
        keys = Message.objects.order_by("pk").values_list("enrolled_on", "pk")
        refs = [MessageRef(tenant.pk, enrolled_on, message_id) for enrolled_on, message_id in keys]
    return (
        [f"/m/c/{make_message_token(Purpose.CLICK, ref)}/1" for ref in refs],
        [f"/m/o/{make_message_token(Purpose.OPEN, ref)}" for ref in refs],
    )


@contextmanager
def web_worker(
    application: str, *, threads: int, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[int, int]]:
    """Run one web worker, as in production, with `more` in its environment; yield its port and its process."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += ["--workers", "1", "--blocking-threads", str(threads), "--no-access-log", application]
    environment = {**os.environ, "MILLRACE_DB_POOL": str(threads // 2 + 1), **more}
    log = settings.HOME / "logs" / "bench-web.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:
        try:
            _wait_ready(port, process)
            yield port, process.pid
        finally:
            process.terminate()


def _wait_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait for the first answer, whatever it is: the application has been imported then."""
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/m/c/none/1")
            connection.getresponse().read()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise WrongResult("The web worker did not start.") from None
            time.sleep(0.1)


def _check(tenant: Tenant, messages: int, opened: Answers, clicked: Counter[int], *floor: Answers) -> None:
    answers = [opened.statuses, clicked, *(one.statuses for one in floor)]
    if answers != [{200: messages}, *[{302: messages}] * (1 + len(floor))]:
        raise WrongResult(f"The answers were {answers}, wanted {messages} of each.")
    with tenant_scope(tenant.pk):
        kinds = ("message.opened", "message.clicked")
        found = [Event.objects.filter(kind=kind).count() for kind in kinds]
        found.append(
            Message.objects.filter(status=Message.Status.CLICKED, first_opened_at__isnull=False).count()
        )
    if found != [messages] * 3:
        raise WrongResult(f"Recorded: {found} opens, clicks and messages clicked; wanted {messages} of each.")
