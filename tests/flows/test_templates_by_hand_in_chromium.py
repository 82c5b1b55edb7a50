"""Each of the six templates, drawn by hand in an empty flow: whatever a template has, its user could have drawn.

The template itself brings emails, forms and selections; its document is then drawn beside it, part by part, by what
a person sees, saved, and compared with the template's.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from content.models import Email
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Line
from flows.document import Branch, FlowDocument, StepNode, SuccessCriterion, Trigger
from flows.operations.create import create_flow
from flows.operations.drafts import draft_of
from flows.operations.from_template import start_from_template
from flows.queries import newest_document
from flows.starters.base import FlowTemplate
from flows.starters.table import TEMPLATES
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from tests.fixtures.people import Person
from tests.flows.conftest import NOW
from tests.flows.drawing import add_part, add_step, answered, apply, look, open_designer, open_part
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


class Hand:
    """Draws a document in the open designer."""

    def __init__(self, page: Page, emails: dict[int, str]) -> None:
        self.page = page
        self.panel = page.locator("#flow-panel")
        self.emails = emails

    def draw(self, document: FlowDocument) -> None:
        self.settings(document)
        self.start(document)
        self.steps(document.steps, "Add a step at the start of the flow")
        self.finish(document)
        for note in document.notes:
            title = next((node.title for node in document.walk() if node.id == note.step), "")
            self.note(note.text, title)

    def settings(self, document: FlowDocument) -> None:
        self.page.get_by_role("button", name="Settings").click()
        open_part(self.page, "Enrolment")
        self.control("A contact may start this flow only once").set_checked(document.settings.once_only)
        apply(self.page)
        open_part(self.page, "Messages")
        self.choose("Subscription type", document.settings.messages.subscription_type)
        self.control("Only send at certain times").check()
        apply(self.page)

    def start(self, document: FlowDocument) -> None:
        open_part(self.page, "Added by hand")
        for trigger in document.triggers:
            add_part(self.page, "trigger", TRIGGER_KINDS[trigger.kind].label)
            self.trigger(trigger)
            apply(self.page)
        if document.filter is not None:
            open_part(self.page, "Trigger")
            open_part(self.page, "Only if everyone may enter")
            self.criteria(document.filter)
            apply(self.page)

    def trigger(self, trigger: Trigger) -> None:
        for name, value in trigger.settings.items():
            if name == "fields":
                self.press("Name a field")
                (line,) = value
                self.choose("Field", line["field"])
                self.tick("To", line["becomes"])
            else:
                self.choose({"selection": "Selection", "form": "Form"}[name], value)

    def steps(self, steps: tuple[StepNode, ...], first: str) -> None:
        plus = first
        for node in steps:
            add_step(self.page, plus, STEP_KINDS[node.kind].label)
            self.control("Title").fill(node.title)
            getattr(self, node.kind)(node.settings)
            apply(self.page)
            for number, branch in enumerate(node.branches):
                self.branch(branch, number, last=number == len(node.branches) - 1)
            plus = f"Add a step after {node.title}"

    def branch(self, branch: Branch, number: int, *, last: bool) -> None:
        if not last:
            open_part(self.page, f"Branch {number + 1}")
            self.control("Name").fill(branch.name)
            self.acts(branch.settings["acts"])
            apply(self.page)
        self.steps(branch.steps, f"Add a step at the start of branch {branch.name}")

    def send_email(self, settings: dict[str, Any]) -> None:
        self.choose("Email", settings["email"])

    def wait_for_time(self, settings: dict[str, Any]) -> None:
        if settings.get("mode") == "moment":
            self.control("Until a date and time").check()
        else:
            self.control("How many").fill(str(settings["amount"]))
            self.choose("Unit", settings["unit"])

    def wait_for_action(self, settings: dict[str, Any]) -> None:
        self.acts(settings["actions"])
        self.control("Also what happened since entering the flow").check()
        self.wait_for_time(settings)

    def split(self, settings: dict[str, Any]) -> None:
        self.choose("Based on", settings["based_on"])

    def create_follow_up(self, settings: dict[str, Any]) -> None:
        self.control("Task").check()
        self.control("Title of the follow-up").fill(settings["subject"])
        self.control("Later").check()
        self.control("After").fill(str(settings["amount"]))
        self.choose("Unit", settings["unit"])
        self.control("Agenda").fill(settings["agenda"])

    def add_to_selection(self, settings: dict[str, Any]) -> None:
        for name in ("selection", "project"):
            if settings.get(name):
                self.choose(name.capitalize(), settings[name])

    def update_contact(self, settings: dict[str, Any]) -> None:
        (line,) = settings["lines"]
        self.choose("Field", line["field"])
        self.choose("Value", line["values"][0])

    def finish(self, document: FlowDocument) -> None:
        open_part(self.page, "Finish")
        for criterion in document.success:
            add_part(self.page, "success criterion", SUCCESS_KINDS[criterion.kind].label)
            self.success(criterion)
            apply(self.page)
            open_part(self.page, "Finish")
        self.control("Whoever meets it moves to Finish at once").set_checked(document.settings.move_to_finish)
        apply(self.page)

    def success(self, criterion: SuccessCriterion) -> None:
        if criterion.criteria:
            self.criteria(criterion.criteria)
        for name, value in criterion.settings.items():
            if not value:
                continue  # any type will do
            self.choose({"selection": "Selection", "link": "Tracked link"}[name], value)

    def note(self, text: str, title: str) -> None:
        if title:
            self.page.locator(f"[data-title='{title}'] [data-open]:not([data-talk])").first.click(
                button="right"
            )
            with answered(self.page, "**/edit/op/"):
                self.page.get_by_role("menuitem", name="Add note").click()
        else:
            self.page.get_by_role("button", name="More for this flow").click()
            with answered(self.page, "**/edit/op/"):
                self.page.get_by_role("button", name="Add a note at the start").click()
        self.control("Note").fill(text)
        apply(self.page)

    def acts(self, acts: list[dict[str, Any]]) -> None:
        for act in acts:
            assert act["kind"] == "email_link"
            self.control(f"Clicks any link of “{self.emails[act['email']]}”").check()

    def criteria(self, criteria: Criteria) -> None:
        ((line,),) = [group.lines for group in criteria.groups]
        assert isinstance(line, Line)
        with answered(self.page, "**/contacts/criteria/"):
            self.press("Add criterion")
        with answered(self.page, "**/contacts/criteria/"):
            self.choose("Field", line.field)
        if line.operator in {"one_of", "not_one_of"}:
            with answered(self.page, "**/contacts/criteria/"):
                self.choose("Compare", line.operator)
            editor = self.panel.locator(".criteria")
            editor.locator("summary").click()
            editor.locator(f"input[type=checkbox][value='{line.values[0]}']").check()
            editor.locator("summary").click()
        else:
            self.choose("Compare", line.operator)

    def control(self, label: str) -> Locator:
        """Return the last visible control of a label, whatever help stands behind the label."""
        named = re.compile(rf"^\s*{re.escape(label)}\s*(?=\(|$|[A-Z])")
        return self.panel.get_by_label(named).locator("visible=true").last

    def press(self, name: str) -> None:
        self.panel.get_by_role("button", name=name, exact=True).click()
        self.settled()

    def choose(self, label: str, value: Any) -> None:
        """Choose a value in the last control of that label; what the choice brings is waited for."""
        self.control(label).select_option(str(value))
        self.settled()

    def tick(self, label: str, values: list[str]) -> None:
        group = self.panel.get_by_role("group", name=label).last
        group.locator("summary").click()
        for value in values:
            group.locator(f"input[value='{value}']").check()
        group.locator("summary").click()

    def settled(self) -> None:
        expect(self.page.locator(".htmx-request, .htmx-swapping")).to_have_count(0)


def plain(document: FlowDocument) -> dict[str, Any]:
    """Return the document without what must differ: ids become places, settings get their kinds' defaults."""
    places = {node.id: number for number, node in enumerate(document.walk())}

    def criteria(part: Any) -> Any:
        return part.criteria and part.criteria.model_dump(mode="json")

    def typed(kinds: Any, part: Any) -> Any:
        kind = next(kind for kind in kinds if kind.name == part.kind)
        return kind.name, kind.Settings.model_validate(part.settings).model_dump(mode="json")

    def asked(kinds: Any, part: Any) -> Any:
        return *typed(kinds, part), criteria(part)

    def branch(part: Branch) -> Any:
        return part.name, part.settings, criteria(part), part.exit, [step(node) for node in part.steps]

    def step(node: StepNode) -> Any:
        return node.title, typed(STEP_KINDS, node), [branch(part) for part in node.branches]

    return {
        "settings": document.settings.model_copy(update={"timezone": "UTC"}).model_dump(mode="json"),
        "triggers": [asked(TRIGGER_KINDS, part) for part in document.triggers],
        "filter": document.filter and document.filter.model_dump(mode="json"),
        "success": [asked(SUCCESS_KINDS, part) for part in document.success],
        "steps": [step(node) for node in document.steps],
        "finish": document.finish.model_dump(mode="json"),
        "notes": [(note.text, places.get(note.step) if note.step else None) for note in document.notes],
    }


@pytest.mark.parametrize("template", list(TEMPLATES), ids=lambda template: template.name)
def test_a_template_is_drawn_by_hand(
    page: Page, live_server: Any, alice: Person, template: FlowTemplate
) -> None:
    with tenant_scope(alice.tenant.pk):
        made = start_from_template(
            template=template, name="The template", member=alice.member, timezone="UTC", now=NOW
        ).flow
        wanted = draft_of(made)
        Email.objects.update(flow_id=None)  # an email belongs to one flow; these are free now
        emails = dict(Email.objects.values_list("pk", "name"))
        flow = create_flow(name=f"{template.label} by hand", owner=alice.user, now=NOW)
    open_designer(page, alice, live_server, flow)
    Hand(page, emails).draw(wanted)
    look(page, f"by-hand-{template.name}")
    assert accessibility_faults(page) == []
    save = page.get_by_role("button", name="Save", exact=True)
    save.click()
    expect(save).to_be_disabled()
    with tenant_scope(alice.tenant.pk):
        assert plain(newest_document(flow.pk)) == plain(wanted)
