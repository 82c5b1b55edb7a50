"""The designer on large flows, and emails made in a step."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from content.models import Email
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from flows.document import Branch, StepNode
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import step
from tests.flows.test_designer import state, with_steps

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_email_is_made_in_the_step_and_leads_there_and_back(alice: Person, world: World) -> None:
    node = step("send_email", "Welcome")
    flow = with_steps(alice, node, step("wait_for_time", "Wait"))
    client = alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/")
    posted = {"op": "new_email", "step": str(node.id), "base_version": "0"}
    answer = client.post(f"{url}op/", posted)
    assert answer.status_code == 200, answer.text
    with tenant_scope(alice.tenant.pk):
        made = Email.objects.latest("pk")
    assert (made.name, made.flow_id, made.revision) == ("Welcome", flow.pk, 0)
    state(flow)
    assert draft_of(flow).steps[0].settings["email"] == made.pk
    assert f"content/{made.pk}/?step={node.id}" in answer.text
    assert "The email is not ready" in answer.text
    editor = client.get(alice.url(f"content/{made.pk}/"), {"step": str(node.id)})
    assert f"flows/{flow.pk}/edit/?part=step:{node.id}" in editor.text
    form = {"name": "Welcome", "subject": "Hi", "preheader": "", "mjml": made.mjml, "text": "", "revision": 0}
    saved = client.post(alice.url(f"content/{made.pk}/?step={node.id}"), form)
    assert saved.headers["Location"].endswith(f"?saved&step={node.id}")
    assert "The email is not ready" not in client.get(url, {"part": f"step:{node.id}"}).text
    assert "?part=step" not in client.get(alice.url(f"content/{made.pk}/"), {"step": "<script>"}).text


def test_a_new_email_over_an_old_version_or_in_another_step_makes_none(alice: Person, world: World) -> None:
    node, other = step("send_email", "Welcome"), step("wait_for_time", "Wait")
    flow = with_steps(alice, node, other)
    client = alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/op/")
    with tenant_scope(alice.tenant.pk):
        before = Email.objects.count()
    for step_id, version, status in ((node.id, "7", 409), (other.id, "0", 422), (uuid.uuid4(), "0", 422)):
        posted = {"op": "new_email", "step": str(step_id), "base_version": version}
        assert client.post(url, posted).status_code == status
    with tenant_scope(alice.tenant.pk):
        assert Email.objects.count() == before


def one_of(category: int) -> Criteria:
    """Return criteria of one line."""
    line = Line(field="contact.category", operator="one_of", values=(category,))
    return Criteria(groups=(Group(lines=(line,)),))


def splits(many: int) -> list[Any]:
    """Return splits, each judged by a category of its own."""
    return [
        StepNode(
            kind="split",
            title=f"Split {number}",
            branches=(
                Branch(id=uuid.uuid4(), name="A", criteria=one_of(number + 1)),
                Branch(name="Everyone else"),
            ),
        )
        for number in range(many)
    ]


def test_an_operation_asks_no_more_of_a_large_flow_than_of_a_small_one(alice: Person) -> None:
    counts = []
    for many in (2, 2, 40):
        flow = with_steps(alice, *splits(many))
        client = alice.client()
        with CaptureQueriesContext(connection) as asked:
            posted = {"op": "insert", "kind": "wait_for_time", "index": "0", "base_version": "0"}
            assert client.post(alice.url(f"flows/{flow.pk}/edit/op/"), posted).status_code == 200
        counts.append(len(asked))
    # The first asks what is remembered from then on.
    assert counts[1] == counts[2] < 26


def test_a_remembered_card_shows_what_changed(alice: Person) -> None:
    node = step("wait_for_time", "Wait a little", amount=2, unit="days")
    flow = with_steps(alice, node)
    client = alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/")
    first = client.get(url).text
    assert "Wait a little" in first
    posted = {
        "part": f"step:{node.id}",
        "title": "Wait long",
        "note": "Patience",
        "mode": "span",
        "amount": "9",
        "direction": "before",
    }
    answer = client.post(f"{url}apply/", {**posted, "unit": "weeks", "base_version": "0"})
    assert (answer.status_code, "Wait long" in answer.text, "9 weeks" in answer.text) == (200, True, True)
    assert 'title="Patience"' in answer.text
    assert "Wait a little" not in client.get(url).text
