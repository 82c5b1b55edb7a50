"""Comments by hand: with keys alone in the designer, on a phone in View flow, two people at one step."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from core.tenancy import tenant_scope
from flows.document import FlowDocument
from flows.models import Flow, FlowComment
from flows.operations.comments import write_comment
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step
from tests.flows.drawing import answered, look, open_designer, sign_in
from tests.flows.test_designer_in_chromium import give
from tests.support.axe import Walk, accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wait(alice: Person, flow: Flow, world: World) -> Any:
    node = step("wait_for_time", "Two days")
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(node, step(title="Last"))))
    return node


def texts(flow: Flow) -> list[str]:
    with tenant_scope(flow.tenant_id or 0):
        return list(FlowComment.objects.filter(flow=flow).order_by("pk").values_list("text", flat=True))


def test_a_comment_is_written_with_keys_alone_and_nothing_typed_is_lost(
    page: Page, live_server: Any, alice: Person, bob: Person, wendy: Person, flow: Flow, wait: Any
) -> None:
    walk = Walk(page, look)
    open_designer(page, alice, live_server, flow)
    keys = page.keyboard
    page.locator("[data-title='Two days'] .flow-card__body").focus()
    with answered(page, "**/edit/panel/**"):
        keys.press("c")
    box = page.get_by_label("Write a comment")
    expect(page.locator("[data-title='Two days']")).to_have_class("flow-card family-time is-selected")
    walk.state("comments of a step, none")
    box.focus()
    keys.type("Enough, @wen")
    option = page.get_by_role("option", name="Wendy Okafor")
    expect(option).to_have_attribute("aria-selected", "true")
    walk.state("a colleague to name")
    keys.press("Enter")
    expect(box).to_have_value("Enough, @Wendy Okafor ")
    keys.type("or three?")
    page.reload()
    page.wait_for_selector("flow-canvas[data-ready]")
    page.locator("[data-title='Two days'] .flow-card__body").focus()
    with answered(page, "**/edit/panel/**"):
        keys.press("c")
    expect(box).to_have_value("Enough, @Wendy Okafor or three?")
    box.focus()
    with answered(page, "**/comments/write/"):
        keys.press("Control+Enter")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    expect(page.locator(".flow-comment__text mark")).to_have_text("@Wendy Okafor")
    badge = page.get_by_role("button", name="1 open comment at Two days")
    expect(badge).to_be_visible()
    page.get_by_text("Answer", exact=False).first.click()
    page.get_by_label("Your answer").fill("I say three")
    walk.state("a thread and an answer on its way")
    with answered(page, "**/comments/write/"):
        page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.locator(".flow-answers .flow-comment__text")).to_have_text("I say three")
    with answered(page, "**/comments/*/resolve/"):
        page.get_by_role("button", name="Resolve").click()
    expect(page.locator("[data-talk][hidden]")).to_have_count(3)
    expect(page.locator("#flow-talk")).to_be_focused()
    page.get_by_text("1 resolved").click()
    walk.state("a resolved thread")
    assert texts(flow) == ["Enough, @Wendy Okafor or three?", "I say three"]
    walk.end()


def test_comments_of_a_removed_step_open_from_the_list_of_all(
    page: Page, live_server: Any, alice: Person, flow: Flow, wait: Any
) -> None:
    with tenant_scope(flow.tenant_id or 0):
        flow.refresh_from_db()
        write_comment(flow=flow, step=wait.id, text="Keep me", author=alice.user, now=NOW, once=uuid4())
    open_designer(page, alice, live_server, flow)
    page.locator("[data-title='Two days'] .flow-card__body").focus()
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Delete")
        page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="More for this flow").click()
    with answered(page, "**/edit/panel/**"):
        page.get_by_role("button", name="Comments", exact=True).click()
    assert accessibility_faults(page) == []
    with answered(page, "**/edit/panel/**"):
        page.get_by_role("button", name="Two days").click()
    expect(page.get_by_text("This step was removed from the flow.")).to_be_visible()
    expect(page.locator("#flow-notice")).to_be_empty()
    expect(page.locator(".flow-comment__text")).to_have_text("Keep me")


def test_what_another_writes_shows_on_the_card_and_a_phone_is_enough_to_answer(
    browser: Browser, page: Page, live_server: Any, alice: Person, wendy: Person, flow: Flow, wait: Any
) -> None:
    open_designer(page, alice, live_server, flow)
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    phone = context.new_page()
    sign_in(phone, wendy, live_server)
    phone.goto(live_server.url + wendy.url(f"flows/{flow.pk}/canvas/?comments={wait.id}"))
    box = phone.get_by_label("Write a comment")
    box.fill("From the train")
    phone.get_by_role("button", name="Name a colleague").tap()
    phone.get_by_role("option", name="Alice Wong").tap()
    expect(box).to_have_value("From the train @Alice Wong ")
    with answered(phone, "**/comments/write/"):
        phone.get_by_role("button", name="Comment", exact=True).tap()
    expect(phone.locator(".flow-comment__text")).to_have_text("From the train @Alice Wong")
    assert accessibility_faults(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    look(phone, "comments-on-a-phone")
    # Alice's page asks every ten seconds, and whenever it is looked at again.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    badge = page.get_by_role("button", name="1 open comment at Two days")
    expect(badge).to_be_visible(timeout=20_000)
    with answered(page, "**/edit/panel/**"):
        badge.click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the comment of Wendy Okafor").click()
    with answered(page, "**/comments/*/delete/"):
        page.get_by_role("button", name="Delete comment").click()
    expect(page.locator(".flow-comment")).to_have_count(0)
    expect(badge).to_be_hidden()
    assert texts(flow) == []
    context.close()
