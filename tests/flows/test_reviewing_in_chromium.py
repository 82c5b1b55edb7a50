"""Saving with people inside, in a real browser: the menu says why, the question names them, the tick re-times them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.drawing import answered, open_designer
from tests.participants.pages import add_people, make_stage
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_edit_with_people_inside_is_asked_about_and_saved(
    page: Page, live_server: Any, bob: Person
) -> None:
    stage = make_stage(bob)
    add_people(stage)
    with stage.scope():
        Flow.objects.filter(pk=stage.flow.pk).update(status="paused")
    open_designer(page, bob, live_server, stage.flow)
    page.get_by_role("button", name="Actions for Wait 2 days").click()
    expect(page.get_by_role("menuitem", name="Remove")).to_be_disabled()
    expect(page.locator("#step-menu")).to_contain_text("People are in it, so it cannot be moved or removed.")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Wait 2 days For 2 days").click()
    page.locator("[name=amount]").fill("9")
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    page.locator("#flow-save").click()
    dialog = page.get_by_role("dialog", name="What this edit does to those inside")
    expect(dialog).to_contain_text("They keep the end time, the actions and the exit that they arrived with.")
    assert accessibility_faults(page) == []
    dialog.get_by_label("Also for the 1 person waiting here").check()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#flow-saved")).to_have_text("Saved as revision 2")
    expect(dialog).to_have_count(0)
    late = stage.participant("Late")
    assert (late.visit_revision, late.waits_until) == (2, None)
