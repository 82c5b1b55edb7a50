"""`{{ event.… }}` in messages is looked at before the start: a value that no trigger gives is a warning on its step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from content.models import Email
from content.operations.emails import Draft, create_email, save_email
from core.tenancy import tenant_scope
from flows.checking import check_context
from flows.checks.event_not_given import EventNotGiven
from flows.document import FlowDocument, MessageSettings, ReplyTo, StepNode, Trigger
from flows.panels.settings import MessagesForm
from flows.validation import problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW
from tests.flows.documents import step

pytestmark = pytest.mark.django_db
SALE = Trigger(kind="sale_created")


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def mail(alice: Person, text: str, subject: str = "News") -> Email:
    made = create_email(name="News", actor=alice.user, now=NOW)
    mjml = f"<mjml><mj-body><mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section></mj-body></mjml>"
    saved = save_email(
        email_id=made.pk,
        draft=Draft("News", subject, mjml),
        revision=made.revision,
        actor=alice.user,
        now=NOW,
    )
    assert saved.is_saved, saved.problems
    return made


def said(*nodes: StepNode, triggers: tuple[Trigger, ...] = ()) -> list[tuple[str, str, bool]]:
    document = FlowDocument(triggers=triggers, steps=nodes)
    found = EventNotGiven().find(document, check_context(document))
    return [(problem.message, problem.place, problem.is_warning) for problem in found]


AMOUNT = "No trigger of the flow gives {{ event.sale.amount }}: it stays empty"


def test_an_email_that_names_a_sale_needs_a_trigger_about_one(alice: Person) -> None:
    node = step("send_email", email=mail(alice, "You paid {{ event.sale.amount|default('nothing') }}").pk)
    assert said(node) == [(AMOUNT, "email", True)]
    assert said(node, triggers=(Trigger(kind="contact_created"),)) == [(AMOUNT, "email", True)]
    assert said(node, triggers=(Trigger(kind="contact_created"), SALE)) == []
    document = FlowDocument(steps=(node,))
    assert AMOUNT in [problem.message for problem in problems(document, now=NOW) if problem.is_warning]


def test_the_subject_conditions_and_addresses_of_links_count_as_well(alice: Person) -> None:
    text = (
        '{% if event.form.answers.size %}big{% endif %} <a href="https://a.test/?x={{ event.data.id }}">x</a>'
    )
    node = step("send_email", email=mail(alice, text, "About {{ event.sale.title }}").pk)
    [(message, _, _)] = said(node)
    for path in ("event.data.id", "event.form.answers.size", "event.sale.title"):
        assert path in message


@pytest.mark.parametrize(
    ("kind", "words", "place"),
    [
        ("send_sms", {"text": "Paid {{ event.sale.amount }}"}, "text"),
        ("notify_by_email", {"subject": "x", "text": "{{ event.sale.amount }}"}, "text"),
        ("webhook", {"url": "https://a.test", "body": '{"a": "{{ event.sale.amount }}"}'}, "body"),
    ],
)
def test_the_words_of_every_other_step_count(kind: str, words: dict[str, Any], place: str) -> None:
    assert said(step(kind, **words)) == [(AMOUNT, place, True)]
    assert said(step(kind, **words), triggers=(SALE,)) == []


def test_what_an_outside_event_carries_nobody_knows_and_nothing_else_is_said(alice: Person) -> None:
    outside = Trigger(kind="outside_event", settings={"name": "paid"})
    assert said(step("send_sms", text="{{ event.data.order.total }}"), triggers=(outside,)) == []
    assert len(said(step("send_sms", text="{{ event.sale.amount }}"), triggers=(outside,))) == 1
    assert said(step("send_sms", text="the event.sale.amount of {{ contact.first_name }}")) == []
    assert said(step("send_sms", text="{{ event.sale.amount")) == [], (
        "a broken text is the step's own problem"
    )
    assert said(step("send_email", email=987_654), step("send_email")) == []


def test_many_missing_values_are_not_all_listed() -> None:
    text = " ".join(f"{{{{ event.data.v{n} }}}}" for n in range(9))
    [(message, _, _)] = said(step("send_sms", text=text))
    assert message.endswith("and 6 more: it stays empty")
    assert message.count("{{") == 3


def test_two_queries_whatever_the_number_of_steps_and_none_for_words_read_before(alice: Person) -> None:
    nodes = [step("send_email", email=mail(alice, "{{ event.sale.amount }}").pk) for _ in range(5)]
    said(nodes[0])
    document = FlowDocument(steps=tuple(nodes))
    ctx = check_context(document)
    for most in (3, 2):
        with CaptureQueriesContext(connection) as caught:
            assert len(list(EventNotGiven().find(document, ctx))) == 5
        assert len(caught) <= most


def test_the_fallback_for_replies_has_a_name(alice: Person) -> None:
    data = QueryDict(mutable=True)
    data.update(
        {"sender_source": "fixed", "sender_email": "a@b.test", "reply_source": "our_contact",
         "reply_name": "The desk", "reply_email": "desk@b.test"}
    )  # fmt: skip
    form = MessagesForm(messages=MessageSettings(), member=alice.member, data=data)
    assert form.is_valid(), form.errors
    made = form.messages(MessageSettings()).reply_to
    assert made == ReplyTo(source="our_contact", name="The desk", email="desk@b.test")
    again = MessagesForm(messages=MessageSettings(reply_to=made), member=alice.member)
    assert again["reply_name"].value() == "The desk"
