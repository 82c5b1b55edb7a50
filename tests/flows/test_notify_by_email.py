"""Notify by email: to whom, with which words, without consent or timeframe; it arrives, and keeps its newest text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict

from accounts.models import Membership
from content.models import NoticeVersion
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.models import Company
from delivery.models import Message, Stream
from delivery.operations.sending import send_batch
from delivery.operations.streams import open_stream
from flows.checking import check_context
from flows.document import FlowDocument, StepNode, Timeframe
from flows.models import Flow
from flows.steps.base import GO_ON, StepBroken
from flows.steps.table import STEP_KINDS
from flows.validation import node_problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step
from tests.flows.test_steps import cohort, contact, run
from tests.support.smtp import Mailbox
from tests.support.statements import statements

SUBJECT = "New lead: {{ contact.name }}"
TEXT = "{{ contact.first_name }} of {{ company.name|default('nowhere') }} wants {{ event.form.name }}.\n\nBe quick."


def notice(**settings: Any) -> StepNode:
    return step("notify_by_email", **{"subject": SUBJECT, "text": TEXT, **settings})


@pytest.fixture
def scope(alice: Person, bob: Person, rory: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def said(node: StepNode) -> list[tuple[str, str]]:
    found = node_problems(node, check_context(FlowDocument(steps=(node,))))
    return [(problem.place, problem.message) for problem in found]


@pytest.mark.usefixtures("scope")
def test_notify_by_email_writes_to_our_contact_or_the_fallback_outside_any_timeframe(
    flow: Flow, world: World, bob: Person, rory: Person
) -> None:
    settings = world.settings()
    messages = settings.messages.model_copy(update={"timeframe": Timeframe(weekdays=(6,))})
    document = FlowDocument(settings=settings.model_copy(update={"messages": messages}))
    ann, ben = contact("Ann", our_contact=rory.user), contact("Ben")
    node = notice(fallback_user=bob.user.pk)
    found = run(flow, cohort(node, ann, ben, event_data={"form": {"name": "a demo"}}), document=document)
    assert (found.of(1000), found.messages) == (GO_ON, {})
    rows = Message.objects.order_by("id")
    assert [(m.to_address, m.is_marketing, m.contact_id, m.participant_id) for m in rows] == [
        (rory.user.email, False, None, None),
        (bob.user.email, False, None, None),
    ]
    assert rows[0].values == {"notice": True, "about": ann.pk, "event": {"form": {"name": "a demo"}}}
    assert rows[0].stream_id == Stream.objects.get(notes_of=flow.stream_id).pk


@pytest.mark.usefixtures("scope")
def test_notify_by_email_to_addresses_sends_each_one(flow: Flow) -> None:
    node = notice(to="addresses", addresses=["a@x.test", "b@x.test"])
    run(flow, cohort(node, contact("Ann"), contact("Ben")))
    assert sorted(Message.objects.values_list("to_address", flat=True)) == ["a@x.test"] * 2 + ["b@x.test"] * 2


@pytest.mark.usefixtures("scope")
def test_notify_by_email_costs_the_same_statements_for_two_and_for_fifty(flow: Flow, rory: Person) -> None:
    people = [contact(f"P{number}", our_contact=rory.user) for number in range(50)]
    run(flow, cohort(notice(), people[0]))
    node = notice()
    run(flow, cohort(node, people[0]))
    with statements() as few:
        run(flow, cohort(node, *people[:2]))
    with statements() as many:
        run(flow, cohort(node, *people))
    assert len(few) == len(many)


def test_the_mail_arrives_with_the_contacts_values_and_no_trace_of_marketing(
    flow: Flow, alice: Person, mailbox: Mailbox
) -> None:
    with tenant_scope(alice.tenant.pk):
        mill = Company.objects.create(
            name="Mill & Co", name_norm="mill", our_contact=alice.user, created_at=NOW, updated_at=NOW
        )
        ann = contact("Ann", last_name="<b>Berg</b>", company=mill)
        open_stream(stream_id=flow.stream_id)
        run(flow, cohort(notice(), ann, event_data={"form": {"name": "a demo"}}))
    send_batch(tenant_id=alice.tenant.pk, now=NOW)
    [mail] = mailbox.received
    message = mail.message
    assert mail.recipients == [alice.user.email]
    assert message["Subject"] == "New lead: Ann <b>Berg</b>"
    assert message["List-Unsubscribe"] is None
    assert message["From"] == "Acme <hello@acme.test>"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    page = f"/t/acme/contacts/{ann.pk}/"
    assert text.startswith("Ann of Mill & Co wants a demo.")
    assert page in text
    assert "Ann of Mill &amp; Co wants a demo." in html
    assert f'{page}">Open the contact</a>' in html
    assert "<b>" not in html
    with tenant_scope(alice.tenant.pk):
        assert Message.objects.get().status == "sent"


def test_a_queued_mail_takes_the_newest_text_and_a_bad_one_fails_alone(
    flow: Flow, alice: Person, mailbox: Mailbox
) -> None:
    kind = STEP_KINDS["notify_by_email"]
    with tenant_scope(alice.tenant.pk), raw_cursor() as cursor:
        node = notice(subject="Old", text="Old")
        open_stream(stream_id=flow.stream_id)
        run(flow, cohort(node, contact("Ann")))
        newer = node.model_copy(update={"settings": {**node.settings, "subject": "New", "text": "New"}})
        kind.saved(newer, cursor=cursor, tenant_id=alice.tenant.pk, now=NOW)
        broken = notice(subject="{{ contact.nme }}", text="x")
        kind.saved(broken, cursor=cursor, tenant_id=alice.tenant.pk, now=NOW)
        assert NoticeVersion.objects.count() == 2
    send_batch(tenant_id=alice.tenant.pk, now=NOW + dt.timedelta(minutes=1))
    assert [received.message["Subject"] for received in mailbox.received] == ["New"]


@pytest.mark.usefixtures("scope")
def test_notify_by_email_says_what_is_missing(flow: Flow, rory: Person) -> None:
    assert said(step("notify_by_email")) == [("subject", "Write a subject"), ("text", "Write a text")]
    assert said(notice(to="addresses")) == [("addresses", "Name at least one address")]
    assert said(notice(to="addresses", addresses=["nonsense"])) == [
        ("addresses", "“nonsense” is no email address")
    ]
    [(place, message)] = said(notice(text="{{ contact.nme }}"))
    assert (place, "contact.nme" in message) == ("text", True)
    [(place, _)] = said(notice(text="{{ links.unsubscribe }}"))
    assert place == "text"
    Membership.objects.filter(user=rory.user).update(is_active=False)
    assert said(notice(fallback_user=rory.user.pk)) == [
        ("fallback_user", "The fallback user is not active any more: the flow's owner is used")
    ]
    with pytest.raises(StepBroken):
        run(flow, cohort(step("notify_by_email"), contact("Ann")))


@pytest.mark.usefixtures("scope")
def test_the_panel_reads_addresses_and_refuses_bad_ones_and_bad_tags(flow: Flow) -> None:
    kind = STEP_KINDS["notify_by_email"]

    def form(**given: str) -> Any:
        data = QueryDict(mutable=True)
        data.update({"title": "Tell", "to": "addresses", **given})
        return kind.Form(kind=kind, node=kind.new(), flow_id=flow.pk, data=data)

    good = form(addresses="a@x.test\r\n b@x.test \n\na@x.test", subject="Hi", text="Hi\r\nyou")
    assert good.is_valid(), good.errors
    assert good.settings()["addresses"] == ["a@x.test", "b@x.test"]
    assert good.settings()["text"] == "Hi\nyou"
    bad = form(addresses="a@x.test\nnot one", text="{{ 1 + }}")
    assert not bad.is_valid()
    assert set(bad.errors) == {"addresses", "text"}
