"""The webhook step: rows in the engine's transaction, a panel that refuses what could not be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.http import QueryDict

from content.models import WebhookVersion
from core.tenancy import tenant_scope
from delivery.models import OutgoingWebhook, WebhookSecret
from delivery.operations.webhook_secrets import keep_secret
from flows.checking import check_context
from flows.document import FlowDocument, StepNode
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.save import save_draft
from flows.steps.base import GO_ON, StepBroken
from flows.steps.table import STEP_KINDS
from flows.steps.webhook import Webhook, WebhookForm
from flows.validation import node_problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step
from tests.flows.test_steps import cohort, contact, run

URL = "https://crm.example.com/hook"


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def said(node: StepNode) -> list[tuple[str, str]]:
    found = node_problems(node, check_context(FlowDocument(steps=(node,))))
    return [(problem.place, problem.message) for problem in found]


def form(flow: Flow, **fields: str) -> WebhookForm:
    kind = STEP_KINDS["webhook"]
    data = QueryDict(mutable=True)
    data.update({"title": "Call", "method": "POST", "url": URL, "headers": "", "body": "{}", **fields})
    made = kind.Form(kind=kind, node=kind.new(), flow_id=flow.pk, data=data)
    assert isinstance(made, WebhookForm)
    return made


def test_webhook_writes_one_row_for_each_and_makes_no_call(flow: Flow) -> None:
    node = step("webhook", url=URL, body='{"email": "{{ contact.email }}"}')
    ann, ben = contact("Ann"), contact("Ben")
    found = run(flow, cohort(node, ann, ben, event_data={"form": {"name": "Signup"}}))
    assert [found.of(number) for number in (1000, 1001)] == [GO_ON, GO_ON]
    rows = list(OutgoingWebhook.objects.order_by("participant_id"))
    assert [(w.participant_id, w.contact_id, w.visit_number, w.status) for w in rows] == [
        (1000, ann.pk, 1, "queued"),
        (1001, ben.pk, 1, "queued"),
    ]
    assert rows[0].values == {"event": {"form": {"name": "Signup"}}}
    assert len({w.uuid for w in rows}) == 2
    version = WebhookVersion.objects.get()
    assert {w.content_version_id for w in rows} == {version.pk}
    assert version.definition == {
        "method": "POST", "url": URL, "headers": [], "body": {"email": "{{ contact.email }}"}
    }  # fmt: skip
    assert WebhookVersion.objects.count() == 1


def test_webhook_without_an_address_is_a_cause_common_to_all(flow: Flow) -> None:
    with pytest.raises(StepBroken):
        run(flow, cohort(step("webhook"), contact("Ann")))


def test_webhook_says_what_is_wrong_at_its_place(flow: Flow) -> None:
    assert said(step("webhook")) == [("url", "Write the address to call.")]
    assert said(step("webhook", url=URL)) == []
    assert said(step("webhook", url="http://169.254.169.254/latest")) == [
        ("url", "This address lies in a private network.")
    ]
    assert said(step("webhook", url=URL, headers=[{"name": "X-Key", "secret": 99}])) == [
        ("headers", "The secret for X-Key was deleted")
    ]
    assert said(step("webhook", url=URL, method="GET", body="no json")) == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("url", "crm.example.com", "begins with https://"),
        ("url", "https://{{ contact.email }}/", "Write the site"),
        ("url", "https://crm.example.com:22/", "Only these ports"),
        ("url", "https://me:pw@crm.example.com/", "site’s name|Name and password|site's name"),
        ("url", "https://crm.example.com/{{ contact.nme }}", "There is no merge tag"),
        ("url", "https://crm.example.com/{{ links.unsubscribe }}", "There is no merge tag"),
        ("headers", "no colon", "is no header"),
        ("headers", "Bad Name: x", "is no header name"),
        ("headers", "Host: internal", "is set by us"),
        ("headers", "webhook-signature: v1,x", "is set by us"),
        ("headers", "X-Key: $nobody", "There is no secret"),
        ("body", '{"a": }', "Line 1, column 7"),
        ("body", '{"a":\n "{{ contact.nme }}"}', "Line 2, column 2"),
        ("body", '{"a": NaN}', "is no number"),
        ("body", '{"a": 1e999}', "do not take"),
        ("body", '{"a": "\\ud800"}', "do not take"),
        ("body", '{"a": "\\u0000"}', "do not take"),
        ("body", "[" * 40 + "]" * 40, "nested deeper"),
        ("body", "[" * 15_000, "nested too deep|no JSON"),
        ("body", '"{{ contact.first_name.__class__ }}"', "There is no merge tag"),
    ],
)
def test_the_panel_refuses_what_could_not_be_sent(flow: Flow, field: str, value: str, words: str) -> None:
    made = form(flow, **{field: value})
    assert not made.is_valid()
    assert list(made.errors) == [field]
    text = str(made.errors[field].as_data()[0].message)
    assert any(word in text for word in words.split("|")), text


def test_the_panel_keeps_secrets_by_id_and_shows_them_by_name(flow: Flow, alice: Person) -> None:
    secret = keep_secret(name="crm", value="tell-nobody", actor=alice.user, now=NOW)
    made = form(flow, headers="Authorization: $crm\n\n  X-Team :  north: 1 ", body="")
    assert made.is_valid(), made.errors
    kept = made.settings()
    assert kept["headers"] == [
        {"name": "Authorization", "value": "", "secret": secret.pk},
        {"name": "X-Team", "value": "north: 1", "secret": None},
    ]
    assert kept["body"] == ""
    assert "tell-nobody" not in json.dumps(kept)
    kind = STEP_KINDS["webhook"]
    shown = kind.Form(kind=kind, node=StepNode(kind="webhook", title="x", settings=kept), flow_id=flow.pk)
    assert shown["headers"].value() == "Authorization: $crm\nX-Team: north: 1"


def test_a_save_keeps_the_newest_definition_names_the_secrets_and_cancels_what_a_removed_step_left(
    flow: Flow, world: World, alice: Person
) -> None:
    secret = keep_secret(name="crm", value="x", actor=alice.user, now=NOW)
    node = step("webhook", url=URL, headers=[{"name": "X-Key", "secret": secret.pk}])
    made = create_flow(
        name="Calls",
        owner=alice.user,
        now=NOW,
        document=FlowDocument(settings=world.settings(), steps=(node,)),
    )
    save_draft(flow_id=made.pk, base_version=made.draft_version, actor=alice.user, now=NOW)
    assert WebhookVersion.objects.get().step_id == node.id
    assert [reference.id for reference in Webhook().references(node)] == [secret.pk]
    run(made, cohort(node, contact("Ann")))
    assert WebhookVersion.objects.count() == 1
    made.refresh_from_db()
    empty = FlowDocument(settings=world.settings()).model_dump(mode="json")
    Flow.objects.filter(pk=made.pk).update(draft=empty)
    save_draft(flow_id=made.pk, base_version=made.draft_version, actor=alice.user, now=NOW)
    assert OutgoingWebhook.objects.get().status == "cancelled"
    assert WebhookSecret.objects.exists()


def test_answers_of_calls_are_listed_and_failed_ones_tried_again(
    flow: Flow, world: World, alice: Person, rory: Person
) -> None:
    node = step("webhook", url=URL, title="To the CRM")
    made = create_flow(
        name="Calls",
        owner=alice.user,
        now=NOW,
        document=FlowDocument(settings=world.settings(), steps=(node,)),
    )
    save_draft(flow_id=made.pk, base_version=made.draft_version, actor=alice.user, now=NOW)
    run(made, cohort(node, contact("Ann"), contact("Ben")))
    first, second = OutgoingWebhook.objects.order_by("id")
    OutgoingWebhook.objects.filter(pk=first.pk).update(
        status="failed", code=410, error="Answered 410.", tried_at=NOW
    )
    url = alice.url(f"flows/{made.pk}/webhooks/{node.id}/")
    page = alice.client().get(url).content.decode()
    assert all(word in page for word in ("To the CRM", "Ann", "Ben", "410", "Try failed ones again"))
    narrowed = alice.client().get(url, {"status": "failed"}).content.decode()
    assert ("Ann" in narrowed, ">Ben<" in narrowed) == (True, False)
    assert rory.client().get(url).status_code == 404
    assert alice.client().get(alice.url(f"flows/{made.pk}/webhooks/{flow.pk:032d}/")).status_code == 404
    assert alice.client().post(f"{url}again/").status_code == 302
    assert {w.status for w in OutgoingWebhook.objects.all()} == {"queued"}
    assert second.pk
