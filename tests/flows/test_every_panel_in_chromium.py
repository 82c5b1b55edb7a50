"""Every kind's panel in a real browser: all fields filled by their visible labels, applied, saved, and after a reload
exactly what was typed. A kind, or a setting of one, without an entry in the tables of panel_acts fails the test."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Error, Locator, Page, expect

from accounts.models import Licence
from content.operations.forms import create_form
from content.operations.links import LinkDraft, create_link
from content.operations.scripts import STARTER, save_script
from core.tenancy import tenant_scope
from crm.models import Project
from delivery.operations.connectors import connect_sms
from flows.document import Branch, FlowDocument, StepNode, SuccessCriterion, Trigger
from flows.models import Flow
from flows.operations.create import create_flow
from flows.queries import newest_document
from flows.steps.split.table import BASES
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID
from tests.flows.conftest import NOW, World
from tests.flows.drawing import add_criterion, open_designer
from tests.flows.panel_acts import BRANCHES, CRITERIA, EXIT, STEPS, SUCCESS, TRIGGERS, Act
from tests.flows.test_designer_in_chromium import give
from tests.flows.test_triggers_in_chromium import look
from tests.support.axe import COLOURS, accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Entry:
    """A panel to fill: its part, what is done in it, and what it is, for messages."""

    part: str
    acts: tuple[Act, ...]
    what: str


BUSY = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
READ = """() => {
  const form = document.querySelector('#flow-panel form');
  const found = {};
  for (const [name, value] of new FormData(form))
    if (!/^(base_version|seen|next|part|csrfmiddlewaretoken)$/.test(name))
      (found[name] ??= []).push(value.replaceAll('\\r\\n', '\\n'));
  return found;
}"""
OPEN = "part => document.querySelector('flow-designer').open(part, { focus: false })"


def settle(page: Page) -> None:
    expect(page.locator(BUSY)).to_have_count(0)


def do(page: Page, label: str, value: Any) -> None:
    """Do one act in the open panel, by what a person sees."""
    panel = page.locator("#flow-panel")
    if label == CRITERIA:
        field, compare, text = value
        add_criterion(page, field, compare, text=text)
    elif label == "press":
        panel.get_by_role("button", name=value, exact=True).click()
    else:
        named = re.compile(rf"^\s*{re.escape(label)}\s*(?=\(|$|[A-Z])")
        if isinstance(value, list):
            choose_several(panel.get_by_role("group", name=named).last, value)
            return
        control = panel.get_by_label(named).locator("visible=true").last
        kind = control.evaluate("one => one.getAttribute('role') ?? one.type")
        if kind == "combobox":
            choose_searched(panel, control, value)
            return
        if kind in {"select-one", "select-multiple"}:
            control.select_option(label=value)
        elif kind in {"checkbox", "radio"}:
            control.set_checked(value)
        else:
            control.fill(value)
        if not kind.startswith("select"):
            return
    settle(page)


def choose_searched(panel: Locator, control: Locator, label: str) -> None:
    """Write into a long list's search, and take what it finds by that name."""
    control.fill(label)
    panel.get_by_role("option", name=label, exact=True).click()
    expect(control).to_have_value(label)


def choose_several(group: Locator, names: list[str]) -> None:
    """Open the list behind a line of choices, tick the boxes, close it."""
    group.locator("summary").click()
    for name in names:
        group.get_by_label(name, exact=True).check()
    group.locator("summary").click()


def fill(page: Page, entry: Entry) -> dict[str, list[str]]:
    """Open a panel, do everything in it, apply; return what stood in it."""
    page.evaluate(OPEN, entry.part)
    settle(page)
    for label, value in entry.acts:
        try:
            do(page, label, value)
        except Error as failure:
            pytest.fail(f"{entry.what}: “{label}” cannot be filled in: {failure.message[:600]}")
    typed: dict[str, list[str]] = page.evaluate(READ)
    with page.expect_response("**/edit/apply/", timeout=30_000) as answer:
        page.locator("#panel-apply").click()
    assert answer.value.status == 200, (
        entry.what,
        page.locator("#flow-panel .field-error").all_inner_texts(),
    )
    settle(page)
    return typed


def faults_of_panel(page: Page) -> list[str]:
    """Return what axe finds in the panel as it is filled in, and in its colours in the dark theme."""
    found = accessibility_faults(page, within="#flow-panel")
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    found += accessibility_faults(page, within="#flow-panel", rules=COLOURS)
    page.evaluate("document.documentElement.dataset.bsTheme = 'light'")
    return found


def document_of_all(world: World) -> tuple[FlowDocument, list[Entry]]:
    """Return a flow with one part for each entry of the tables, and the entries in the order they are filled in."""
    steps: list[StepNode] = []
    entries: list[Entry] = []
    for kind, variants in STEPS.items():
        for number, acts in enumerate(variants):
            node = STEP_KINDS[kind].new()
            more: list[Act] = [("Title", f"{kind} {number} 💚"), ("Internal note", "For <b>us</b>")]
            steps.append(node)
            entries.append(Entry(f"step:{node.id}", (*more, *acts), f"{kind} {number}"))
            if kind == "split":
                basis = next(b for b in BASES if b.label == acts[0][1])
                branch: Branch = node.branches[0]
                asked = (("Name", "Those"), *BRANCHES[basis.name], ("Exit flow", True), *EXIT)
                entries.append(Entry(f"branch:{branch.id}", asked, f"branch on {basis.name}"))
    triggers, success = [], []
    for kind, variants in TRIGGERS.items():
        for acts in variants:
            triggers.append(Trigger(kind=kind))
            entries.append(Entry(f"trigger:{triggers[-1].id}", tuple(acts), f"trigger {kind}"))
    for kind, variants in SUCCESS.items():
        for acts in variants:
            success.append(SuccessCriterion(kind=kind))
            entries.append(Entry(f"success:{success[-1].id}", tuple(acts), f"success {kind}"))
    document = FlowDocument(
        settings=world.settings(), steps=tuple(steps), triggers=tuple(triggers), success=tuple(success)
    )
    return document, entries


def unchanged(kinds: Iterable[Any], parts: Iterable[Any]) -> list[str]:
    """Return the settings of kinds that none of its parts has changed."""
    given: dict[str, set[str]] = {}
    for part in parts:
        given.setdefault(part.kind, set())
        default = next(kind for kind in kinds if kind.name == part.kind).Settings().model_dump(mode="json")
        given[part.kind] |= {name for name, value in part.settings.items() if value != default.get(name)}
    return [
        f"{kind.name}.{name}"
        for kind in kinds
        for name in kind.Settings.model_fields
        if name not in given.get(kind.name, set())
    ]


def test_the_tables_name_every_kind() -> None:
    for table, entries in (
        (STEP_KINDS, STEPS),
        (TRIGGER_KINDS, TRIGGERS),
        (SUCCESS_KINDS, SUCCESS),
        (BASES, BRANCHES),
    ):
        assert {kind.name for kind in table} == set(entries)


@pytest.fixture
def things(alice: Person, rory: Person, flow: Flow, world: World) -> None:
    """What panels choose from."""
    with tenant_scope(alice.tenant.pk):
        for code in Licence.Code:
            Licence.objects.get_or_create(code=code)
        Project.objects.create(name="Fair", created_at=NOW)
        create_form(name="Sign-up", actor=alice.user, now=NOW)
        create_link(draft=LinkDraft(name="Offer", url="https://a.test/"), actor=None, now=NOW)
        create_flow(name="Win-back of the lost", owner=alice.user, now=NOW)
        connect_sms(account_sid=SID, auth_token="x", senders=["Acme"], actor=alice.user, now=NOW)
        save_script(
            script_id=None, name="Score", description="", source=STARTER, revision=0, actor=None, now=NOW
        )


def test_every_panel_keeps_all_that_is_filled_in(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World, things: None
) -> None:
    with tenant_scope(alice.tenant.pk):
        document, entries = document_of_all(world)
    give(flow, alice, document)
    open_designer(page, alice, live_server, flow)
    typed = {}
    for entry in entries:
        typed[entry.part] = fill(page, entry)
    page.locator("[data-flow-action='save']").click()
    expect(page.locator("[data-flow-action='save']")).to_be_disabled()
    page.reload()
    page.wait_for_selector("flow-canvas[data-ready]")
    faults: list[str] = []
    for entry in entries:
        page.evaluate(OPEN, entry.part)
        settle(page)
        assert page.evaluate(READ) == typed[entry.part], entry.what
        look(page, f"panel-{entry.what}")
        faults += [f"{entry.what}: {one}" for one in faults_of_panel(page)]
    assert faults == []
    assert accessibility_faults(page) == []
    with tenant_scope(alice.tenant.pk):
        saved = newest_document(flow.pk)
    assert unchanged(STEP_KINDS, saved.walk()) == []
    assert unchanged(TRIGGER_KINDS, saved.triggers) == []
    assert unchanged(SUCCESS_KINDS, saved.success) == []
    assert all(node.note == "For <b>us</b>" and "💚" in node.title for node in saved.walk())
    assert [trigger.kind for trigger in saved.triggers if trigger.criteria] == [
        "contact_created", "added_to_selection"
    ]  # fmt: skip
