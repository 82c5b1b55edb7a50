"""The check that a form or tracked link does what a step does, or the opposite: on the step and on the form's page."""

from __future__ import annotations

from typing import Any

import pytest

from content.actions import ChangeLine
from content.forms.document import FormActions
from content.link_actions import LinkActions
from content.models import Email, Form, TrackedLink
from content.operations.forms import document_of
from content.operations.links import LinkDraft, change_link
from crm.models import ListItem
from flows.document import FlowDocument, StepNode, Trigger
from flows.models import Flow
from flows.operations.create import create_flow
from tests.fixtures.people import Person
from tests.flows.checks import closed as closed
from tests.flows.checks import found
from tests.flows.checks import mail as mail
from tests.flows.checks import offer as offer
from tests.flows.checks import scope as scope
from tests.flows.conftest import NOW, World
from tests.flows.documents import step


def changes(*line: Any, title: str = "Change") -> StepNode:
    field, action, *values = line
    return step("update_contact", title, lines=[{"field": field, "action": action, "values": values}])


@pytest.mark.parametrize(
    ("by_link", "by_step", "said"),
    [
        (("job_title", "set", "Chef"), ("job_title", "set", "Chef"),
         "changes Job title by itself in the same way already"),
        (("job_title", "clear"), ("job_title", "set", "Chef"),
         "changes Job title by itself to another value: whichever comes last wins"),
        (("job_title", "append", "!"), ("job_title", "set", "Chef"), "changes Job title by itself too"),
        (("job_title", "set", "Chef"), ("phone", "clear"), ""),
    ],
)  # fmt: skip
def test_a_link_in_a_sent_email_that_changes_what_a_step_changes_says_how(
    by_link: tuple[str, ...], by_step: tuple[str, ...], said: str, mail: Email, offer: TrackedLink
) -> None:
    field, action, *values = by_link
    line = ChangeLine(field=f"contact.{field}", action=action, values=tuple(values))
    draft = LinkDraft(name="Offer", url="https://a.test/", actions=LinkActions(changes=(line,)))
    change_link(link_id=offer.pk, draft=draft, actor=None, now=NOW)
    steps = (step("send_email", email=mail.pk), changes(f"contact.{by_step[0]}", *by_step[1:]))
    assert found("does_the_same", *steps) == ([("Change", f"“Offer” {said}", "")] if said else [])
    assert found("does_the_same", steps[1]) == [], "the flow sends no such link"


def test_what_a_link_repeats_is_told_on_its_page_too_and_each_opens_the_other(
    mail: Email, offer: TrackedLink, alice: Person, wendy: Person, bob: Person, world: World
) -> None:
    line = ChangeLine(field="contact.job_title", action="set", values=("Chef",))
    draft = LinkDraft(name="Offer <b>", url="https://a.test/", actions=LinkActions(changes=(line,)))
    change_link(link_id=offer.pk, draft=draft, actor=None, now=NOW)
    change = changes("contact.job_title", "set", "Chef")
    document = FlowDocument(
        settings=world.settings(), steps=(step("send_email", "Mail", email=mail.pk), change)
    )
    mine = create_flow(name="Spring", owner=alice.user, now=NOW, document=document)
    page = alice.url(f"content/links/{offer.pk}/")
    way = f"{alice.url(f'flows/{mine.pk}/edit/')}?part=step:{change.id}"

    def shown(person: Person) -> str:
        return person.client().get(person.url(f"content/links/{offer.pk}/")).content.decode()

    assert (
        f'<a href="{way}">Spring, “Change”</a>: the link changes Job title by itself in the same way already.'
        in shown(alice)
    )
    for part in ("problems", f"step:{change.id}"):
        panel = alice.client().get(alice.url(f"flows/{mine.pk}/edit/panel/?part={part}")).content.decode()
        assert f'href="{page}" target="_blank" rel="noopener">Open “Offer &lt;b&gt;”</a>' in panel, part
    assert "Open “Offer &lt;b&gt;”" in alice.client().get(alice.url(f"flows/{mine.pk}/")).content.decode()
    Flow.objects.filter(pk=mine.pk).update(visibility=Flow.Visibility.OWNER)
    assert "Spring" not in shown(bob)
    Flow.objects.filter(pk=mine.pk).update(visibility=Flow.Visibility.EVERYONE)
    assert "Spring, “Change”" in shown(wendy)
    assert way not in shown(wendy), "a writer does not open the designer"
    Flow.objects.filter(pk=mine.pk).update(deleted_at=NOW)
    assert "the link changes" not in shown(alice)


def test_what_a_form_repeats_is_told_on_its_pages(closed: Form, alice: Person, world: World) -> None:
    pk = world.selection.pk
    actions = FormActions(add_to_selections=(pk,))
    Form.objects.filter(pk=closed.pk).update(
        document=document_of(closed).model_copy(update={"actions": actions}).model_dump(mode="json")
    )
    add, off = (
        step("add_to_selection", "Add", selection=pk),
        step("remove_from_selection", "Off", selection=pk),
    )
    trigger = Trigger(kind="form_submitted", settings={"form": closed.pk})
    document = FlowDocument(settings=world.settings(), triggers=(trigger,), steps=(add, off))
    create_flow(name="Spring", owner=alice.user, now=NOW, document=document)
    for place in ("", "actions/"):
        page = alice.client().get(alice.url(f"content/forms/{closed.pk}/{place}")).content.decode()
        assert "Spring, “Add”</a>: the form adds to this selection by itself already." in page, place
        said = "Spring, “Off”</a>: the form does the opposite by itself: it adds to this selection."
        assert said in page, place


def test_interests_of_a_link_are_compared_one_by_one(mail: Email, offer: TrackedLink) -> None:
    news, offers = ListItem.objects.filter(list="interest").order_by("pk")[:2]
    actions = LinkActions(add_interests=(news.pk,))
    draft = LinkDraft(name="Offer", url="https://a.test/", actions=actions)
    change_link(link_id=offer.pk, draft=draft, actor=None, now=NOW)
    send, key = step("send_email", email=mail.pk), "contact.interests"
    assert found("does_the_same", send, changes(key, "add", news.pk), changes(key, "remove", news.pk, title="Off")) == [
        ("Change", "“Offer” changes Interests by itself in the same way already", ""),
        ("Off", "“Offer” does the opposite by itself: it puts on what this step removes in Interests", ""),
    ]  # fmt: skip
    assert found("does_the_same", send, changes(key, "add", offers.pk)) == []


def test_a_form_that_makes_requests_answers_and_sorts_new_contacts_says_so(
    closed: Form, mail: Email, world: World
) -> None:
    actions = FormActions(
        request=True, request_title="New", respond_email=mail.pk, new_category=world.prospect.pk
    )
    document = document_of(closed).model_copy(update={"actions": actions})
    Form.objects.filter(pk=closed.pk).update(document=document.model_dump(mode="json"))
    steps = (
        step("create_request", "Ask", request_title="x"),
        step("send_email", "Thanks", email=mail.pk),
        changes("contact.category", "set", world.customer.pk),
        step("wait_for_time", "Wait"),
    )
    assert found("does_the_same", *steps) == [], "the flow does not listen to it"
    triggers = (Trigger(kind="form_submitted", settings={"form": closed.pk}),)
    assert found("does_the_same", *steps, triggers=triggers) == [
        ("Ask", "“Sign-up” makes a request by itself already", ""),
        ("Thanks", "“Sign-up” answers with this email by itself already", ""),
        ("Change", "“Sign-up” sets the category of new contacts by itself", ""),
    ]
