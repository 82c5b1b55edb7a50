"""What people do with forms and links, as flows hear of it: from the page to the participant."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from accounts.models import Tenant
from content.models import Form, TrackedLink
from content.operations.links import LinkDraft, create_link
from content.operations.processing import process_submission
from core.tenancy import tenant_scope
from crm.models import Contact
from delivery.models import Stream
from flows.document import (
    FlowDocument,
    FlowSettings,
    MessageSettings,
    Sender,
    StepNode,
    SuccessCriterion,
    Trigger,
)
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.lifecycle import save_and_start
from flows.validation import problems
from participants.engine.batch import run_batch
from participants.intake import take_events
from participants.models import Participant, Suggestion
from tests.content.forms import LATER, NOW, PHONE, Booth, Visitor
from tests.content.test_form_processing import send
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>About {{ event.form.answers.topic }}</mj-text>"
    '<mj-button href="{{ links.offer }}">Offer</mj-button></mj-column></mj-section></mj-body></mjml>'
)

WAIT = StepNode(kind="wait_for_time", title="Two days", settings={"amount": 2, "unit": "days"})


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


@pytest.fixture
def booth(acme: Tenant) -> Booth:
    return Booth(acme)


@pytest.fixture
def link(booth: Booth) -> TrackedLink:
    with booth.scope():
        return create_link(draft=LinkDraft(name="Offer", url="https://example.com/"), actor=None, now=NOW)


def started(booth: Booth, alice: Person, document: FlowDocument, name: str = "Fair") -> Flow:
    """Start a flow."""
    with booth.scope():
        flow = create_flow(name=name, owner=alice.user, now=NOW, document=document)
        assert [p.message for p in problems(document, now=NOW) if not p.is_warning] == []
        save_and_start(flow_id=flow.pk, base_version=flow.draft_version, actor=alice.user, now=NOW)
        flow.refresh_from_db()
        return flow


def settings(booth: Booth) -> FlowSettings:
    messages = MessageSettings(
        subscription_type=booth.news.pk, sender=Sender(name="Acme", email="hello@acme.test"), override_consent=True
    )  # fmt: skip
    return FlowSettings(messages=messages)


def test_a_submission_brings_its_contact_into_a_flow_whose_mail_names_the_answers_and_whose_link_is_its_success(
    booth: Booth, alice: Person, link: TrackedLink, mailbox: Mailbox, clock: time_machine.Traveller
) -> None:
    form, email = booth.form(), booth.write(mjml=MJML)
    document = FlowDocument(
        settings=settings(booth).model_copy(update={"move_to_finish": True}),
        triggers=(Trigger(kind="form_submitted", settings={"form": form.pk}),),
        success=(SuccessCriterion(kind="link_clicked", settings={"link": link.pk}),),
        steps=(
            StepNode(kind="send_email", title="Answer", settings={"email": email.pk}),
            WAIT,
        ),
    )
    flow = started(booth, alice, document)
    Visitor(booth.path(form), clock).send(email="ada@post.test", topic="Mills")
    now = LATER + dt.timedelta(minutes=1)
    take_events(tenant_id=booth.tenant.pk, now=now)
    run_batch(tenant_id=booth.tenant.pk, flow_id=flow.pk, now=now, limit=10)
    with booth.scope():
        stream = Stream.objects.get(pk=flow.stream_id)
        participant = Participant.objects.get()
        assert participant.contact_id == booth.submissions()[0].contact_id
        assert (participant.event_data or {})["form"]["answers"]["topic"] == "Mills"
        booth.stream = stream
    booth.send(now=now)
    html = mailbox.received[-1].message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "About Mills" in html
    [path] = re.findall(r"http://127.0.0.1:8000(/m/c/[^\"]+)\"[^>]*>\s*Offer", html)
    clock.shift(dt.timedelta(minutes=2))
    now += dt.timedelta(minutes=2)
    assert Client().get(path, headers={"user-agent": "scanner bot"}).status_code == 302
    take_events(tenant_id=booth.tenant.pk, now=now)
    with booth.scope():
        assert Participant.objects.get().success_at is None
    assert Client().get(path, headers=PHONE).status_code == 302
    take_events(tenant_id=booth.tenant.pk, now=now)
    run_batch(tenant_id=booth.tenant.pk, flow_id=flow.pk, now=now, limit=10)
    with booth.scope():
        assert Participant.objects.get().status == "success"


def test_what_waits_to_be_processed_suggests_nobody_until_it_is(booth: Booth, alice: Person) -> None:
    form = booth.form(processing="manual")
    document = FlowDocument(
        triggers=(Trigger(kind="form_submitted", settings={"form": form.pk}),), steps=(WAIT,)
    )
    started(booth, alice, document)
    one = send(booth, form)
    take_events(tenant_id=booth.tenant.pk, now=LATER)
    with booth.scope():
        assert not Suggestion.objects.exists()
        process_submission(submission_id=one.pk, now=LATER, actor=alice.user)
    take_events(tenant_id=booth.tenant.pk, now=LATER)
    with booth.scope():
        assert Suggestion.objects.get().verdict == "enrolled"
        assert Form.objects.get().pk == form.pk


def test_a_click_in_a_flows_own_mail_may_bring_the_person_into_the_same_flow_again(
    booth: Booth, alice: Person, link: TrackedLink, mailbox: Mailbox
) -> None:
    document = FlowDocument(
        triggers=(Trigger(kind="link_clicked", settings={"link": link.pk}),), steps=(WAIT,)
    )
    flow = started(booth, alice, document)
    ada = booth.contact("Ada")
    booth.queue(ada, email=booth.write(mjml=MJML), flow_id=flow.pk)
    booth.send(now=LATER)
    html = mailbox.received[-1].message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    [path] = re.findall(r"http://127.0.0.1:8000(/m/c/[^\"]+)\"[^>]*>\s*Offer", html)
    Client().get(path, headers=PHONE)
    take_events(tenant_id=booth.tenant.pk, now=LATER)
    with tenant_scope(booth.tenant.pk):
        assert Participant.objects.get().contact_id == ada.pk
        assert Contact.objects.count() == 1
