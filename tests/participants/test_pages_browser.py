"""The pages of flows in a real browser: dialogs, live search and numbers, right-click, keyboard, axe in both themes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from content.models import EmailVersion
from delivery.models import Message
from flows.models import FlowFolder
from participants.models import Participant
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, make_stage
from tests.support.axe import accessibility_faults


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    return made


@pytest.fixture
def browser_of_bob(page: Page, live_server: Any, bob: Person) -> Page:
    """Bob's browser, signed in."""
    session = bob.client().cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return page


def test_ending_asks_with_the_number_and_escape_changes_nothing(
    browser_of_bob: Page, live_server: Any, stage: Stage
) -> None:
    page = browser_of_bob
    page.goto(live_server.url + stage.url())
    page.get_by_role("button", name="More for Autumn welcome").click()
    page.get_by_role("link", name="End", exact=True).click()
    dialog = page.get_by_role("dialog", name="End Autumn welcome?")
    expect(dialog).to_contain_text("1 active participant becomes cancelled")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(".page-title")).to_contain_text("Running")
    page.get_by_role("button", name="More for Autumn welcome").click()
    page.get_by_role("link", name="End", exact=True).click()
    dialog.get_by_role("button", name="End flow").click()
    expect(page.locator(".page-title")).to_contain_text("Ended")
    assert stage.participant("Late").status == "cancelled"


def test_search_and_filters_narrow_the_table_while_typing_and_keep_the_url(
    browser_of_bob: Page, live_server: Any, stage: Stage
) -> None:
    from core.db.cursors import raw_cursor
    from crm.search import CONTACT, words_of_contact, write_words

    with stage.scope() as world, raw_cursor() as cursor:
        words = {
            contact.pk: words_of_contact(
                first_name=contact.first_name, last_name=contact.last_name, email=contact.email
            )
            for contact in stage.contacts.values()
        }
        write_words(cursor, tenant_id=world.tenant.pk, kind=CONTACT, words=words)
    page = browser_of_bob
    page.goto(live_server.url + stage.url("participants/"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    page.get_by_role("searchbox").fill("zoë")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("zoe@post.test")
    assert "q=zo" in page.url
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox", name="Status", exact=True).select_option("dropped")
    expect(rows).to_have_count(2)
    assert "status=dropped" in page.url
    rows.first.click(position={"x": 300, "y": 10})
    expect(page.locator("h2", has_text="What happened")).to_be_visible()


def test_the_filters_of_people_share_one_line_and_last_messages_sort(
    browser_of_bob: Page, live_server: Any, stage: Stage
) -> None:
    page = browser_of_bob
    with stage.scope() as world:
        world.email("A later one")
        version = EmailVersion.objects.get(email__name="A later one")
        zoe = stage.participant("Zoe")
        assert zoe.last_message_id
        Message.objects.filter(pk=zoe.last_message_id).update(content_version_id=version.pk)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(live_server.url + stage.url("participants/"))
    expect(page.locator(".filter-bar span > select")).to_have_count(4)
    page.wait_for_function("document.querySelector('.filter-bar').offsetHeight < 50")
    for direction, first in (("ascending", "zoe@post.test"), ("descending", "late@post.test")):
        page.get_by_role("link", name="Last message").press("Enter")
        head = page.get_by_role("columnheader", name="Last message")
        expect(head).to_have_attribute("aria-sort", direction)
        expect(page.locator("tbody tr").first).to_contain_text(first)
        # Who got nothing comes last either way.
        expect(page.locator("tbody tr").last).to_contain_text("nour@post.test")
    page.set_viewport_size({"width": 390, "height": 844})
    for button in ("Views", "Columns"):
        page.locator("summary", has_text=button).press("Enter")
        panel = page.locator(".list-options[open] .list-options-body")
        expect(panel).to_have_count(1)
        expect(panel).to_be_in_viewport()
        page.wait_for_function(
            "(() => { const box = document.querySelector('.list-options[open] .list-options-body')"
            ".getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth })()"
        )


def test_taking_somebody_out_by_right_click_asks_first(
    browser_of_bob: Page, live_server: Any, stage: Stage
) -> None:
    page = browser_of_bob
    page.goto(live_server.url + stage.url("participants/"))
    # The menu of the row belongs to the page's script: a click before it is there opens the browser's own.
    page.wait_for_function("customElements.get('action-menu') && document.readyState === 'complete'")
    page.locator("tbody tr", has_text="late@post.test").click(button="right", position={"x": 300, "y": 10})
    page.get_by_role("button", name="Take out").locator("visible=true").first.click()
    page.locator("#confirm").get_by_role("button", name="Take out").click()
    expect(page.locator("tbody tr", has_text="late@post.test")).to_contain_text("Removed by a user")
    assert stage.participant("Late").drop_reason == "removed_by_user"


def test_the_canvas_shows_numbers_that_follow_and_opens_a_step(
    browser_of_bob: Page, live_server: Any, stage: Stage
) -> None:
    page = browser_of_bob
    page.goto(live_server.url + stage.url("canvas/"))
    card = page.locator(f'[data-step="{stage.wait.id}"]')
    expect(card.locator("[data-count]")).to_have_text("1 here now")
    expect(card).to_contain_text("2 went on · 0 left")
    expect(page.locator(".flow-branch__share").first).to_have_text("50%")
    with stage.scope() as world:
        world.advance(stage.flow, days=2.1)
        assert Participant.objects.get(contact_id=stage.contacts["Late"].pk).status == "finished"
    expect(card).to_contain_text("3 went on · 0 left", timeout=8_000)
    card.locator("[data-open^='step:']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Nobody stands here now.")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_empty()


def test_a_folder_is_made_in_a_dialog_that_keeps_what_was_wrong(
    browser_of_bob: Page, live_server: Any, stage: Stage, bob: Person
) -> None:
    page = browser_of_bob
    page.goto(live_server.url + bob.url("flows/"))
    page.get_by_role("link", name="New folder").click()
    page.get_by_label("Name", exact=True).fill("   ")
    page.get_by_role("button", name="Make folder").click()
    expect(page.get_by_role("dialog")).to_contain_text("required")
    page.get_by_label("Name", exact=True).fill("Campaigns")
    page.get_by_role("button", name="Make folder").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Campaigns")
    with stage.scope():
        assert FlowFolder.objects.get().name == "Campaigns"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_have_no_accessibility_findings_and_fit_the_window(
    browser_of_bob: Page, live_server: Any, stage: Stage, bob: Person, theme: str, width: int
) -> None:
    page = browser_of_bob
    page.set_viewport_size({"width": width, "height": 900})
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    anna, nour = stage.contacts["Anna"], stage.participant("Nour")
    found = []
    for path in (
        bob.url("flows/?view=tiles"),
        bob.url("flows/?view=list"),
        *(stage.url(tab) for tab in ("", "canvas/", "participants/", "content/", "end/")),
        stage.url(f"participants/{nour.pk}/"),
        bob.url(f"contacts/{anna.pk}/flows/"),
        bob.url("contacts/in-flows/"),
        bob.url(f"flows/add-contacts/?contact={anna.pk}"),
    ):
        page.goto(live_server.url + path)
        found += [f"{path} {finding}" for finding in accessibility_faults(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{path} is wider than the window")
    assert found == []
