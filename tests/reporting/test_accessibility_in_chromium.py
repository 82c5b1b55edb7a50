"""Every state of the flow list and of View flow, light and dark, judged by axe; the `page` fails on a violation of the
content security policy anywhere on the way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from flows.models import Flow
from flows.operations.folders import create_folder
from participants.models import HeldOut, Participant
from tests.fixtures.people import Person
from tests.flows.drawing import look, sign_in
from tests.participants.conftest import wait
from tests.participants.pages import Stage, add_people, make_stage
from tests.support.axe import Walk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def walk(page: Page, live_server: Any, bob: Person) -> Walk:
    """A walk of Bob's, signed in."""
    sign_in(page, bob, live_server)
    return Walk(page, look)


@pytest.fixture
def stage(bob: Person) -> Stage:
    """A flow with people at every fate, two held out, and a second flow in a folder."""
    made = make_stage(bob)
    add_people(made)
    with made.scope() as world:
        spring = create_folder(name="Spring", parent_id=None)
        create_folder(name="Fairs of the north", parent_id=spring.pk)
        world.flow(wait(1), name="Second", status="paused")
        first = Participant.objects.order_by("enrolled_at")[0].enrolled_at
        for name in ("Olga", "Pål"):
            HeldOut.objects.create(flow_id=made.flow.pk, contact_id=world.contact(name).pk, held_at=first)
    return made


def test_every_state_of_the_flow_list(page: Page, live_server: Any, bob: Person, walk: Walk) -> None:
    flows = live_server.url + bob.url("flows/")
    page.goto(flows)
    walk.state("no flow yet")
    stage = make_stage(bob)
    with stage.scope() as world:
        spring = create_folder(name="Spring", parent_id=None)
        create_folder(name="Fairs of the north", parent_id=spring.pk)
        world.flow(wait(1), name="Second", status="paused")
    page.goto(f"{flows}?view=tiles")
    walk.state("tiles")
    page.goto(f"{flows}?view=list&group=status")
    page.locator("summary", has_text="Filter").click()
    walk.state("list in groups, filter open")
    page.locator("summary", has_text="Columns").click()
    walk.state("columns of the list")
    page.keyboard.press("Escape")
    expect(page.locator(".list-options[open]")).to_have_count(0)
    expect(page.locator("summary", has_text="Columns")).to_be_focused()
    page.get_by_label("Choose all on this page").check()
    expect(page.locator("[data-bulk-bar]")).to_be_visible()
    page.get_by_role("button", name="More for Second").click()
    walk.state("flows chosen and the menu of one")
    page.get_by_role("link", name="Move to folder").locator("visible=true").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    walk.state("a flow goes into a folder")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="New folder", exact=True).click()
    page.get_by_label("Name", exact=True).fill("   ")
    page.get_by_role("button", name="Make folder").click()
    expect(page.get_by_role("dialog")).to_contain_text("required")
    walk.state("a folder without a name")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Save this view").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    walk.state("a view is saved")
    page.goto(f"{flows}?q=nothing+like+it")
    walk.state("nothing found")
    page.goto(flows + f"compare/?ids={stage.flow.pk}")
    walk.state("one flow to compare")
    page.goto(flows + "new/")
    walk.state("a new flow")
    page.goto(flows + "import/")
    walk.state("a flow from a file")
    walk.end()


def test_every_state_of_the_tabs(page: Page, live_server: Any, stage: Stage, walk: Walk) -> None:
    flow = live_server.url + stage.url()
    page.goto(flow)
    walk.state("summary")
    page.get_by_role("button", name="More for Autumn welcome").click()
    walk.state("menu in the header")
    page.get_by_role("link", name="End", exact=True).click()
    expect(page.get_by_role("dialog", name="End Autumn welcome?")).to_be_visible()
    walk.state("asked before the end")
    page.goto(flow + "reports/?period=all")
    expect(page.locator("#messages tbody tr")).to_have_count(1)
    expect(page.locator("#outcomes")).to_contain_text("Control group")
    page.get_by_text("As a table").click()
    walk.state("reports with their table")
    page.goto(flow + "reports/?period=custom&from=2020-01-01&to=2020-01-31&compare=1")
    expect(page.locator("#outcomes")).to_contain_text("Nobody finished with success")
    walk.state("reports of a period without anybody")
    page.goto(flow + "control-group/")
    walk.state("control group")
    page.goto(flow + "content/")
    walk.state("content")
    page.goto(flow + "rehearse/")
    walk.state("rehearsal")
    page.get_by_role("searchbox").fill("nobody like it")
    expect(page.locator(".rehearsal-person")).to_have_count(0)
    walk.state("nobody to rehearse with")
    walk.end()


def test_every_state_of_the_flow_tab(page: Page, live_server: Any, stage: Stage, walk: Walk) -> None:
    canvas = live_server.url + stage.url("canvas/")
    page.goto(canvas)
    page.wait_for_selector("flow-canvas[data-ready]")
    welcome = page.locator(f'[data-step="{stage.welcome.id}"]')
    expect(welcome.locator(".flow-card__numbers")).to_contain_text("1 left")
    welcome.get_by_text("1 left").click()
    walk.state("numbers and why they left")
    parts = {
        "Welcome": f"step:{stage.welcome.id}",
        "Chef?": f"step:{stage.split.id}",
        "Chefs": f"branch:{stage.split.branches[0].id}",
        "the start": "start",
        "the finish": "finish",
    }
    for name, part in parts.items():
        with page.expect_response("**/canvas/part/**"):
            page.locator(f'[data-open="{part}"]').first.press("Enter")
        expect(page.locator("#panel h2")).to_be_visible()
        walk.state(f"details of {name}", within="#panel")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_label("Words to find").fill("2 days")
    expect(page.locator("#step-found")).to_contain_text("1 found")
    walk.state("a step found", within="#panel")
    page.get_by_role("button", name="One participant’s path").click()
    expect(page.locator("#path-people li")).to_have_count(4)
    walk.state("whose path", within="#panel")
    page.get_by_text("Numbers as a table").click()
    walk.state("numbers as a table")
    page.goto(live_server.url + stage.url(f"path/{stage.participant('Anna').pk}/"))
    page.wait_for_selector("flow-canvas[data-ready]")
    walk.state("a path")
    walk.end()


def test_every_state_of_participants(
    page: Page, live_server: Any, bob: Person, stage: Stage, walk: Walk
) -> None:
    people = live_server.url + stage.url("participants/")
    page.goto(people)
    page.locator("summary", has_text="Columns").click()
    walk.state("participants and their columns")
    page.get_by_role("heading", level=1).click()
    expect(page.locator(".list-options[open]")).to_have_count(0)
    page.get_by_label("Choose all on this page").check()
    expect(page.locator("[data-bulk-bar]")).to_be_visible()
    walk.state("all chosen")
    page.locator("[data-bulk-bar]").get_by_role("button", name="Remove from flow").click()
    expect(page.locator("#confirm")).to_be_visible()
    walk.state("asked before they are removed")
    page.keyboard.press("Escape")
    page.locator("tbody tr", has_text="late@post.test").get_by_role(
        "button", name=re.compile("^More for")
    ).click()
    walk.state("menu of a participant")
    page.goto(f"{people}?status=cancelled&visited={stage.welcome.id}&went=left")
    expect(page.get_by_text("Nobody matches")).to_be_visible()
    walk.state("nobody matches")
    for name in ("Anna", "Late"):
        page.goto(f"{people}{stage.participant(name).pk}/")
        walk.state(f"what happened to {name}")
    page.goto(live_server.url + bob.url(f"flows/{stage.flow.pk}/end/"))
    walk.state("the end as a page")
    with stage.scope() as world:
        other = world.flow(wait(1), name="Third")
    page.goto(live_server.url + bob.url(f"flows/{other.pk}/participants/"))
    walk.state("nobody has entered")
    walk.end()


def chosen_in_menu(page: Page, button: Locator, words: str) -> None:
    """Open a ⋮ menu and choose in it, by keyboard. The focus goes to its first item as soon as it is open."""
    button.press("Enter")
    menu = page.locator("[popover]:popover-open")
    items = menu.locator("a[href], button:not(:disabled)")
    expect(items.first).to_be_focused()
    items.filter(has_text=re.compile(f"^\\s*{re.escape(words)}\\s*$")).press("Enter")


def test_every_dialog_of_the_flow_list(page: Page, live_server: Any, bob: Person, walk: Walk) -> None:
    stage = make_stage(bob)
    with stage.scope() as world:
        world.flow(wait(1), name="Second", status="not_running")
    flows = live_server.url + bob.url("flows/?view=list")
    page.goto(flows)
    page.wait_for_function("customElements.get('action-menu') && document.readyState === 'complete'")
    page.locator("tbody tr", has_text="Second").click(button="right", position={"x": 300, "y": 10})
    expect(
        page.locator("[popover]:popover-open").get_by_role("link", name="Open", exact=True)
    ).to_be_focused()
    walk.state("right click on a flow")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    chosen_in_menu(page, page.get_by_role("button", name="More for Second"), "Rename")
    expect(page.get_by_role("dialog", name="Rename Second")).to_be_visible()
    walk.state("a flow is renamed")
    page.keyboard.press("Escape")
    chosen_in_menu(page, page.get_by_role("button", name="More for Second"), "Delete")
    expect(page.locator("#confirm")).to_be_visible()
    walk.state("asked before a flow is deleted")
    page.keyboard.press("Escape")
    with stage.scope():
        ids = list(Flow.objects.order_by("pk").values_list("pk", flat=True))
    page.goto(live_server.url + bob.url(f"flows/compare/?ids={ids[0]}&ids={ids[1]}"))
    walk.state("two flows beside each other")
    page.goto(live_server.url + bob.url("flows/compare/"))
    walk.state("nothing to compare")
    walk.end()


def test_every_dialog_of_folders_and_views(page: Page, live_server: Any, bob: Person, walk: Walk) -> None:
    stage = make_stage(bob)
    with stage.scope():
        spring = create_folder(name="Spring", parent_id=None)
        create_folder(name="القمر 🌙", parent_id=spring.pk)
        create_folder(name="Empty", parent_id=None)
    page.goto(live_server.url + bob.url("flows/?view=list"))
    dialogs = {"New folder inside": "New folder in Spring", "Rename": "Rename Spring", "Move": "Move Spring"}
    for name, title in dialogs.items():
        chosen_in_menu(page, page.get_by_role("button", name="More for folder Spring"), name)
        expect(page.get_by_role("dialog", name=title)).to_be_visible()
        walk.state(f"folder dialog {name}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    chosen_in_menu(page, page.get_by_role("button", name="More for folder Empty"), "Delete")
    expect(page.locator("#confirm")).to_contain_text("Delete the folder Empty?")
    walk.state("asked before a folder is deleted")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Save this view").press("Enter")
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Mine ⭐")
    page.get_by_role("button", name="Save view").press("Enter")
    expect(page.get_by_role("link", name="Mine ⭐")).to_be_visible()
    page.get_by_role("button", name="More for view Mine ⭐").press("Enter")
    expect(page.locator("[popover]:popover-open button")).to_be_focused()
    walk.state("menu of a view")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_contain_text("Delete the view Mine ⭐?")
    walk.state("asked before a view is deleted")
    page.keyboard.press("Escape")
    walk.end()


def test_every_dialog_of_participants(page: Page, live_server: Any, stage: Stage, walk: Walk) -> None:
    people = live_server.url + stage.url("participants/")
    with stage.scope():
        Participant.objects.filter(contact_id=stage.contacts["Late"].pk).update(
            held_reason="frequency cap: x"
        )
    page.goto(f"{people}?group=status&sort=contact")
    expect(page.locator(".group-row").first).to_be_visible()
    walk.state("participants in groups")
    page.locator("summary", has_text="Views").press("Enter")
    walk.state("views of participants")
    page.get_by_role("link", name="Save this view").press("Enter")
    expect(page.get_by_role("dialog", name="Save this view")).to_be_visible()
    walk.state("a view of participants is saved")
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("By status")
    page.get_by_role("button", name="Save view").press("Enter")
    expect(page.get_by_text("View By status saved.")).to_be_visible()
    page.locator("summary", has_text="Views").press("Enter")
    expect(page.get_by_role("link", name="By status")).to_have_attribute("aria-current", "true")
    chosen_in_menu(page, page.get_by_role("button", name="More for view By status"), "Delete")
    expect(page.locator("#confirm")).to_contain_text("Delete the view By status?")
    walk.state("asked before a view of participants is deleted")
    page.locator("#confirm").get_by_role("button", name="Delete view").press("Enter")
    expect(page.get_by_text("View By status deleted.")).to_be_visible()
    page.goto(f"{people}?group=status&sort=contact")
    page.locator("summary", has_text="Views").press("Enter")
    page.get_by_label("Held", exact=True).select_option("cap")
    expect(page.locator("tbody tr[data-row]")).to_have_count(1)
    walk.state("who is held by the cap")
    assert "csrf" not in page.url
    page.wait_for_function("customElements.get('action-menu') && document.readyState === 'complete'")
    row = page.locator("tbody tr[data-row]", has_text="late@post.test")
    row.click(button="right", position={"x": 300, "y": 10})
    expect(page.locator("[popover]:popover-open")).to_contain_text("Try again now")
    walk.state("right click on a participant")
    # Escape closes the menu, which lies above, then the views.
    page.keyboard.press("Escape")
    expect(page.locator("[popover]:popover-open")).to_have_count(0)
    expect(page.locator(".list-options[open]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".list-options[open]")).to_have_count(0)
    for verb, asked in (("Take out", "Take Late"), ("Remove from flow", "Remove Late")):
        page.keyboard.press("Escape")
        chosen_in_menu(page, row.get_by_role("button", name=re.compile("^More for")), verb)
        expect(page.locator("#confirm")).to_contain_text(asked)
        walk.state(f"asked before {verb}")
    walk.end()


def test_every_question_about_several_participants(
    page: Page, live_server: Any, stage: Stage, walk: Walk
) -> None:
    people = live_server.url + stage.url("participants/")
    with stage.scope() as world:
        world.selection("Met at the fair")
    page.goto(f"{people}?status=active")
    page.wait_for_function("customElements.get('bulk-list') && document.readyState === 'complete'")
    page.locator("tbody tr[data-row]", has_text="late@post.test").get_by_role("checkbox").check()
    bar = page.locator("[data-bulk-bar]")
    bar.get_by_role("button", name="Add", exact=True).press("Enter")
    expect(page.get_by_text("Choose a selection first.")).to_be_visible()
    walk.state("no selection chosen")
    page.locator("tbody tr[data-row]").first.get_by_role("checkbox").check()
    bar.get_by_label("Selection to add to").select_option(label="Met at the fair")
    bar.get_by_role("button", name="Add", exact=True).press("Enter")
    expect(page.get_by_text("1 participant added to the selection.")).to_be_visible()
    walk.state("added to a selection")
    page.get_by_label("Choose all on this page").check()
    page.locator("[data-bulk-bar]").get_by_role("button", name="Take out").press("Enter")
    expect(page.locator("#confirm")).to_contain_text("Take out the chosen participants?")
    walk.state("asked before they are taken out")
    page.locator("#confirm").get_by_role("button", name="Take out").press("Enter")
    expect(page.get_by_text("1 participant taken out.")).to_be_visible()
    page.goto(f"{people}{stage.participant('Late').pk}/")
    page.get_by_role("button", name=re.compile("^More for")).press("Enter")
    walk.state("menu of a participant on their page")
    walk.end()


def test_every_state_of_a_rehearsal(page: Page, live_server: Any, bob: Person, walk: Walk) -> None:
    stage = make_stage(bob, status="not_running")
    with stage.scope() as world:
        anna = world.contact("Anna", job_title="Head chef")
        nour = world.contact("Nour", last_name="نور الدين", consent=False)
    for contact in (anna, nour):
        page.goto(live_server.url + stage.url(f"rehearse/?contact={contact.pk}"))
        expect(page.get_by_role("button", name="Rehearse again")).to_be_visible()
        walk.state(f"the way of {contact.first_name}")
    page.get_by_text("Somebody else").press("Enter")
    walk.state("somebody else for the rehearsal")
    page.goto(live_server.url + stage.url(f"rehearse/?contact={anna.pk}"))
    page.get_by_text("Show the email").press("Enter")
    expect(page.locator("iframe.mail-frame").content_frame.locator("body")).to_contain_text("Welcome")
    page.get_by_text("What was checked").first.press("Enter")
    walk.state("the email of a rehearsal and what was checked")
    walk.end()
