"""The page of a rehearsal: whom, when and what they do; the way, the mail, and who may look."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.models import Contact
from crm.search import CONTACT, words_of_contact, write_words
from flows.document import (
    Branch,
    ExitSettings,
    FlowDocument,
    FlowSettings,
    MessageSettings,
    StepNode,
    SuccessCriterion,
)
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.drawing import look, sign_in
from tests.participants.conftest import send, wait, when
from tests.participants.pages import EMOJI, SeededWorld
from tests.participants.test_waits import wait_for
from tests.support.axe import accessibility_faults
from tests.support.database_facts import fingerprint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(alice: Person) -> tuple[SeededWorld, Flow]:
    with tenant_scope(alice.tenant.pk):
        world = SeededWorld(alice.tenant, alice.user)
        anna = world.contact("Anna", job_title="Chef")
        words = {anna.pk: words_of_contact(first_name="Anna", last_name="", email=anna.email)}
        with raw_cursor() as cursor:
            write_words(cursor, tenant_id=alice.tenant.pk, kind=CONTACT, words=words)
        world.contact(EMOJI, email="zoe@post.test")
        chefs = Branch(
            name="Chefs", criteria=when("contact.job_title", "is", "Chef"), steps=(wait(2, title="Two days"),)
        )
        fork = StepNode(
            kind="split",
            title="Fork",
            settings={"based_on": "contact"},
            branches=(chefs, Branch(name="Everyone else", exit=ExitSettings())),
        )
        settings = FlowSettings(
            timezone="Europe/Oslo", messages=MessageSettings(subscription_type=world.news.pk)
        )
        document = FlowDocument(
            settings=settings, steps=(send(world.email("Welcome"), "Hello"), wait_for(), fork)
        )
        flow = create_flow(name="Autumn", owner=alice.user, now=world.now, document=document)
        return world, flow


def test_a_contact_is_chosen_and_their_way_told(
    page: Page, live_server: Any, alice: Person, stage: tuple[SeededWorld, Flow]
) -> None:
    _, flow = stage
    sign_in(page, alice, live_server)
    page.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/"))
    page.wait_for_selector("flow-canvas[data-ready]")
    # Having looked at the flow is kept, what follows is not.
    before = fingerprint(alice.tenant.pk)
    page.get_by_role("link", name="Rehearse").click()
    expect(page.get_by_role("heading", name="Rehearsal with one contact")).to_be_visible()
    assert accessibility_faults(page) == []
    look(page, "rehearsal-empty")
    page.get_by_role("searchbox").fill("anna")
    expect(page.locator(".rehearsal-person")).to_have_count(1)
    page.locator("[name=start]").fill("2026-12-01T09:00")
    page.locator(".rehearsal-person").click()
    story = page.locator(".story")
    expect(story).to_contain_text("Day 0 · Tue 1 Dec 2026, 09:00")
    expect(story).to_contain_text("Chefs: Job title is “Chef” (taken)")
    expect(story).to_contain_text("Day 7 · Tue 8 Dec 2026, 09:00")
    expect(story.locator(".story-item").last).to_contain_text("Finished")
    expect(story.locator(".story-item").last).to_contain_text("Day 9 · Thu 10 Dec 2026, 09:00")
    page.get_by_text("Show the email").click()
    expect(page.frame_locator(".mail-frame").locator("p").first).to_have_text("Welcome")
    assert accessibility_faults(page) == []
    look(page, "rehearsal")
    page.get_by_label("What they do here").select_option("0")
    page.get_by_label("How long after coming to Answer?").select_option("day")
    page.get_by_role("button", name="Rehearse again").click()
    expect(story.locator(".story-item").last).to_contain_text("Day 3 · Fri 4 Dec 2026, 09:00")
    expect(page.get_by_label("What they do here")).to_have_value("0")
    look(page, "rehearsal-answered")
    # Somebody else takes the other way, with the same answers.
    page.get_by_text("Somebody else").click()
    page.locator(".rehearsal-person", has_text="Zoë").click()
    expect(story.locator(".story-item").last).to_contain_text("No branch matched", ignore_case=True)
    look(page, "rehearsal-out")
    assert fingerprint(alice.tenant.pk) == before


def test_strangers_and_those_without_rights_find_nothing(
    alice: Person, charlie: Person, rory: Person, stage: tuple[SeededWorld, Flow]
) -> None:
    world, flow = stage
    with tenant_scope(alice.tenant.pk):
        anna = world.contact("Anna the second")
    url = alice.url(f"flows/{flow.pk}/rehearse/")
    assert charlie.client().get(url).status_code == 404
    assert rory.client().get(url).status_code == 404
    client = alice.client()
    assert client.get(url, {"contact": "999999"}).status_code == 404
    assert client.get(url, {"contact": str(anna.pk), "start": "never"}).status_code == 200
    assert client.get(f"{url}9/", {"contact": str(anna.pk)}).status_code == 404
    assert client.get(f"{url}1/").status_code == 404
    mail = client.get(f"{url}1/", {"contact": str(anna.pk)})
    assert (mail.status_code, b"Welcome" in mail.content) == (200, True)


@pytest.mark.parametrize("part", ["filter", "success"])
def test_criteria_that_cannot_be_read_are_named_instead_of_a_way(
    alice: Person, stage: tuple[SeededWorld, Flow], part: str
) -> None:
    _, flow = stage
    unreadable = when("contact.shoe_size", "is", "43")
    with tenant_scope(alice.tenant.pk):
        anna = Contact.objects.get(first_name="Anna")
        document = draft_of(flow)
        criterion = SuccessCriterion(kind="criteria", criteria=unreadable)
        changes: dict[str, Any] = {"filter": unreadable, "success": (criterion,)}
        drafted = document.model_copy(update={part: changes[part]}).model_dump(mode="json")
        Flow.objects.filter(pk=flow.pk).update(draft=drafted)
    url = alice.url(f"flows/{flow.pk}/rehearse/")
    page = alice.client().get(url, {"contact": str(anna.pk)})
    assert page.status_code == 200
    assert "Nobody can be judged by the draft as it is" in page.text
    assert f"edit/?part={part}" in page.text
    assert alice.client().get(f"{url}1/", {"contact": str(anna.pk)}).status_code == 404
    assert "Nobody can be judged" not in alice.client().get(url).text
