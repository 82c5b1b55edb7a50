"""`bench designer`: how long one web worker takes over an operation on a flow of very many steps, and over the page.

Measures whole answers over HTTP, one after the other, as somebody at work would send them. Knows nothing of how the
designer draws.
"""

from __future__ import annotations

import re
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

from accounts.models import Role
from accounts.operations import add_member
from accounts.urls_for import turl
from core.clock import now
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from flows.document import Branch, FlowDocument, StepNode
from flows.operations.create import create_flow
from flows.operations.save import save_draft
from trial.bench.asking import AGENT, Answers
from trial.bench.engine import WrongResult
from trial.bench.track import THREADS, web_worker
from trial.bench.world import analyze, make_tenant

# What somebody does is not done a moment after the last: caches of the machine are cold by then.
PAUSE = 0.2
# One split, three steps in each of its two branches, and a step after it.
STEPS_OF_A_PART = 8
VERSION = re.compile(rb'data-version="(\d+)"')
CSRF = "b" * 32


def designer(*, steps: int, operations: int) -> dict[str, Any]:
    """Return milliseconds of so many times the page, a step duplicated and that undone, on a flow of `steps` steps.

    Raises WrongResult where an answer is not 200 or the draft is not what it was in the end.
    """
    tenant, user = make_tenant()
    with tenant_scope(tenant.pk):
        add_member(user=user, role=Role.objects.get(name="Administrator"))
        document = FlowDocument(steps=[one for n in range(steps // STEPS_OF_A_PART) for one in _part(n)])
        flow = create_flow(name="Large", owner=user, now=now(), document=document)
        save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=user, now=now(), note="")
        flow.refresh_from_db()
    analyze()
    client = Client()
    client.force_login(user)
    cookies = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}; csrftoken={CSRF}"
    url, before = turl(tenant, "flows:edit", flow.pk), flow.draft
    duplicate = {
        "op": "duplicate",
        "step": str(document.steps[-1].id),
        "part": f"step:{document.steps[-1].id}",
    }
    with web_worker("config.wsgi:application", threads=THREADS) as (port, _):
        asking = _Asking(HTTPConnection("127.0.0.1", port, timeout=60), cookies, flow.draft_version)
        pages, done, undone = Answers(), Answers(), Answers()
        for kept in (
            Answers(),
            *[pages] * operations,
        ):  # the first fills what is remembered, and does not count
            asking.ask(kept, "GET", url)
        for _ in range(operations):
            asking.ask(done, "POST", f"{url}op/", duplicate)
            asking.ask(undone, "POST", f"{url}undo/", {})
    with tenant_scope(tenant.pk):
        flow.refresh_from_db()
    if flow.draft != before:
        raise WrongResult("The draft is not what it was, with everything undone.")
    figures: dict[str, Any] = {"steps": len(list(document.walk())), "operations": operations}
    for name, answers in (("page", pages), ("duplicate", done), ("undo", undone)):
        figures[f"{name}_ms_median"] = round(answers.within(0.5))
        figures[f"{name}_ms_p95"] = round(answers.within(0.95))
    return figures


def _part(number: int) -> tuple[StepNode, StepNode]:
    line = Line(field="contact.job_title", operator="contains", values=(f"job {number}",))
    inner = [tuple(_wait(f"Wait {number}.{side}.{place}") for place in range(3)) for side in range(2)]
    those = Branch(name="Those", criteria=Criteria(groups=(Group(lines=(line,)),)), steps=inner[0])
    branches = (those, Branch(name="Everyone else", steps=inner[1]))
    return StepNode(kind="split", title=f"Split {number}", branches=branches), _wait(f"After {number}")


def _wait(title: str) -> StepNode:
    return StepNode(kind="wait_for_time", title=title, settings={"amount": 1, "unit": "days"})


class _Asking:
    """A browser at the designer: it sends the version that the last answer showed."""

    def __init__(self, connection: HTTPConnection, cookies: str, version: int) -> None:
        self.connection, self.version = connection, str(version)
        self.headers = {"User-Agent": AGENT, "Cookie": cookies}

    def ask(self, answers: Answers, method: str, path: str, values: dict[str, str] | None = None) -> None:
        """Send, and keep how long the answer took."""
        time.sleep(PAUSE)
        body, headers = None, self.headers
        if values is not None:
            body = urlencode({**values, "base_version": self.version})
            more = {
                "HX-Request": "true",
                "X-CSRFToken": CSRF,
                "Content-Type": "application/x-www-form-urlencoded",
            }
            headers = {**headers, **more}
        begun = time.perf_counter()
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        html = response.read()
        answers.took.append(time.perf_counter() - begun)
        found = VERSION.search(html)
        if response.status != 200 or found is None:
            raise WrongResult(f"{method} {path} answered {response.status}: {html[:200]!r}")
        self.version = found[1].decode()
