"""The session ends while somebody types: the page asks to sign in beside it, and what was typed is sent after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from flows.document import FlowDocument
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import LAST_MONDAY, Person
from tests.flows.documents import step
from tests.flows.drawing import answered, look
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def flow(alice: Person) -> Flow:
    with tenant_scope(alice.tenant.pk):
        document = FlowDocument(steps=(step(title="One"),))
        return create_flow(name="Autumn", owner=alice.user, now=LAST_MONDAY, document=document)


def sign_in_beside(page: Page, person: Person, dialog: Any) -> None:
    """Sign in in the tab that the dialog opens, and come back."""
    with page.context.expect_page() as opened:
        dialog.get_by_role("link", name="Sign in").click()
    beside = opened.value
    beside.get_by_label("Email").fill(person.user.email)
    beside.get_by_label("Password").fill(person.password)
    beside.get_by_role("button", name="Sign in").click()
    expect(beside.get_by_role("heading")).to_have_text("You are signed in again")
    assert accessibility_faults(beside) == []
    beside.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def test_what_was_typed_in_a_panel_outlives_the_session(
    page: Page, live_server: Any, alice: Person, sign_in: Callable[[Person], None], flow: Flow
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/"))
    page.wait_for_selector("flow-canvas[data-ready]")
    with answered(page, "**/edit/panel/**"):
        page.locator("[data-title='One'] [data-open]:not([data-talk])").click()
    page.locator("[name=title]").fill("Wait for spring")
    Session.objects.all().delete()
    with page.expect_response("**/edit/apply/") as told:
        page.locator("#panel-apply").click()
    assert told.value.status == 401
    dialog = page.get_by_role("dialog", name="Sign in to go on")
    expect(dialog).to_be_visible()
    expect(page.locator("[name=title]")).to_have_value("Wait for spring")
    expect(page.locator("[name=password]")).to_have_count(0)
    expect(page.locator(".toast-note")).to_have_count(0)
    assert accessibility_faults(page) == []
    look(page, "signed-out")
    sign_in_beside(page, alice, dialog)
    expect(dialog).to_be_hidden()
    expect(page.locator(".toast-note")).to_contain_text("You are signed in again. Send it once more.")
    expect(page.locator(".flow-panel__hint")).to_have_text("Not applied yet")
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        assert [node.title for node in draft_of(flow).steps] == ["Wait for spring"]


def test_somebody_else_signed_in_meanwhile_sends_nothing(
    page: Page, live_server: Any, alice: Person, bob: Person, sign_in: Callable[[Person], None], flow: Flow
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/"))
    page.wait_for_selector("flow-canvas[data-ready]")
    Session.objects.all().delete()
    with page.expect_response("**/edit/op/"):
        page.locator("[data-title='One'] [data-open]:not([data-talk])").focus()
        page.keyboard.press("d")
    dialog = page.get_by_role("dialog", name="Sign in to go on")
    sign_in_beside(page, bob, dialog)
    expect(dialog).to_contain_text("You are signed in as somebody else now.")
    assert accessibility_faults(page) == []
    dialog.get_by_role("button", name="Stay on this page").click()
    expect(dialog).to_be_hidden()


def test_a_page_that_signs_in_anew_elsewhere_takes_the_new_token(
    page: Page, live_server: Any, alice: Person, sign_in: Callable[[Person], None], flow: Flow
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/"))
    page.wait_for_selector("flow-canvas[data-ready]")
    page.evaluate("document.querySelector('meta[name=csrf-token]').content = 'x'.repeat(64)")
    with page.expect_response("**/edit/op/") as told:
        page.locator("[data-title='One'] [data-open]:not([data-talk])").focus()
        page.keyboard.press("d")
    assert told.value.status == 403
    expect(page.locator(".toast-note")).to_contain_text("Send it once more.")
    with answered(page, "**/edit/op/"):
        page.keyboard.press("d")
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        assert [node.title for node in draft_of(flow).steps] == ["One", "One"]


def test_a_form_of_a_whole_page_is_asked_about_after_a_while(
    page: Page, live_server: Any, alice: Person, sign_in: Callable[[Person], None]
) -> None:
    page.clock.install()
    sign_in(alice)
    page.goto(live_server.url + alice.url("flows/new/"))
    page.locator("[name=name]").fill("Spring welcome")
    Session.objects.all().delete()
    page.clock.fast_forward("06:00")
    page.get_by_role("button", name="Create flow").click()
    dialog = page.get_by_role("dialog", name="Sign in to go on")
    expect(dialog).to_be_visible()
    expect(page.locator("[name=name]")).to_have_value("Spring welcome")
    sign_in_beside(page, alice, dialog)
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Create flow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spring welcome")
    with tenant_scope(alice.tenant.pk):
        assert Flow.objects.filter(name="Spring welcome").count() == 1


def test_only_who_asks_is_named_and_nothing_is_kept(alice: Person, live_server: Any) -> None:
    nobody = Client().get("/session/")
    assert nobody.json()["user"] is None
    assert "no-store" in nobody["Cache-Control"]
    assert "sessionid" not in nobody.cookies
    assert alice.client().get("/session/").json()["user"] == alice.user.pk
    answer = Client().post(alice.url("flows/1/edit/op/"), headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (401, b"")
