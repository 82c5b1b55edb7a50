"""The step kinds, each on a real cohort in a real database, and the promise that each of them is whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from accounts.models import Tenant
from content.operations.scripts import save_script
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.models import Contact, ContactFieldValue, CustomField, Event, SelectionMember
from delivery.models import Message
from flows.checking import check_context
from flows.document import Branch, ExitSettings, FlowDocument, StepNode, Timeframe
from flows.models import Flow
from flows.steps.base import (
    GO_ON,
    Advance,
    Cohort,
    Exit,
    Hold,
    Outcomes,
    StepBroken,
    StepContext,
    Traveller,
    WaitUntil,
)
from flows.steps.table import STEP_KINDS
from flows.steps.wait_for_action.settings import WaitForActionSettings
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from flows.validation import node_problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import job, split, step

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
WEDNESDAY = NOW
OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def contact(name: str, **fields: Any) -> Contact:
    email = f"{name.lower()}@post.test"
    return Contact.objects.create(
        first_name=name,
        email=email,
        email_norm=email,
        origin="user",
        created_at=NOW,
        updated_at=NOW,
        **fields,
    )


def cohort(node: StepNode, *contacts: Contact, came_at: dt.datetime = NOW, **more: Any) -> Cohort:
    travellers = [
        Traveller(
            id=1000 + number,
            enrolled_on=NOW.date(),
            contact_id=one.pk,
            company_id=one.company_id,
            enrolled_at=NOW,
            visit_number=1,
            came_at=came_at,
            event_data=more.get("event_data"),
            attempts=0,
        )
        for number, one in enumerate(contacts)
    ]
    return Cohort(node, travellers)


def run(flow: Flow, group: Cohort, *, method: str = "run", document: FlowDocument | None = None) -> Outcomes:
    """Run a cohort's step as the engine does."""
    with raw_cursor() as cursor:
        ctx = StepContext(
            tenant_id=flow.stream.tenant_id or 0,
            flow_id=flow.pk,
            stream_id=flow.stream_id,
            revision=1,
            document=document or FlowDocument.model_validate(flow.draft),
            now=NOW,
            holidays=frozenset(),
            cursor=cursor,
            owner_id=flow.owner_id,
        )
        found = getattr(STEP_KINDS[group.node.kind], method)(group, ctx)
    assert isinstance(found, Outcomes)
    return found


# --- send_email ---------------------------------------------------------------------------------------------------


def test_send_email_queues_the_newest_version_once_for_each_and_tells_the_message(
    flow: Flow, world: World
) -> None:
    node = step("send_email", email=world.welcome.pk)
    ann, ben = contact("Ann"), contact("Ben")
    found = run(flow, cohort(node, ann, ben, event_data={"form": {"name": "Signup"}}))
    assert [found.of(number) for number in (1000, 1001)] == [GO_ON, GO_ON]
    rows = {m.participant_id: m for m in Message.objects.all()}
    assert found.messages == {1000: rows[1000].pk, 1001: rows[1001].pk}
    assert [(rows[n].to_address, rows[n].contact_id) for n in (1000, 1001)] == [
        ("ann@post.test", ann.pk),
        ("ben@post.test", ben.pk),
    ]
    assert rows[1000].content_version_id == world.welcome.current_id
    assert (rows[1000].step_id, rows[1000].status) == (node.id, "queued")
    assert rows[1000].values == {"event": {"form": {"name": "Signup"}}}


def test_send_email_holds_everyone_until_the_timeframe_opens(flow: Flow, world: World) -> None:
    document = FlowDocument(settings=world.settings())
    messages = document.settings.messages.model_copy(
        update={"timeframe": Timeframe(weekdays=(0,), start=dt.time(8), to=dt.time(17))}
    )
    document = document.model_copy(
        update={"settings": document.settings.model_copy(update={"messages": messages})}
    )
    found = run(flow, cohort(step("send_email", email=world.welcome.pk), contact("Ann")), document=document)
    assert found.of(1000) == Hold(
        dt.datetime(2026, 11, 23, 7, 0, tzinfo=dt.UTC),
        "outside the timeframe (Mon, 08:00–17:00, without holidays; Europe/Oslo)",
        key="timeframe",
        values={"timeframe": "Mon, 08:00–17:00, without holidays"},
    )
    assert not Message.objects.exists()


def test_send_email_without_content_holds_the_step_instead_of_failing_people(
    flow: Flow, world: World
) -> None:
    with pytest.raises(StepBroken, match="no content that can be sent"):
        run(flow, cohort(step("send_email", email=world.unfinished.pk), contact("Ann")))


def test_send_email_says_what_a_failed_guard_does() -> None:
    kind = STEP_KINDS["send_email"]
    assert kind.on_failed_guard(step("send_email")) == "drop"
    assert kind.on_failed_guard(step("send_email", if_cannot="skip")) == "skip"


# --- wait_for_time ------------------------------------------------------------------------------------------------


def test_wait_for_time_holds_until_the_span_is_over_and_passes_when_it_is_past(flow: Flow) -> None:
    node = step("wait_for_time", amount=2, unit="days")
    ann = contact("Ann")
    until = {"until": (NOW + dt.timedelta(days=2)).astimezone(OSLO).isoformat(timespec="minutes")}
    assert run(flow, cohort(node, ann)).of(1000) == WaitUntil(NOW + dt.timedelta(days=2), values=until)
    assert run(flow, cohort(node, ann, came_at=NOW - dt.timedelta(days=3))).of(1000) == GO_ON


def test_wait_for_time_until_a_moment_reads_the_flows_clocks(flow: Flow) -> None:
    node = step("wait_for_time", mode="moment", moment="2026-12-01T09:00:00")
    oslo = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
    assert run(flow, cohort(node, contact("Ann"))).of(1000) == WaitUntil(
        oslo, values={"until": "2026-12-01T09:00+01:00"}
    )


def test_wait_for_time_until_a_date_field_reads_everyones_date_at_once(flow: Flow) -> None:
    renewal = CustomField.objects.create(on="contact", key="renewal", name="Renewal", type="date")
    ann, ben, cid = contact("Ann"), contact("Ben"), contact("Cid")
    ContactFieldValue.objects.create(contact=ann, field=renewal, value_date=dt.date(2026, 12, 10))
    ContactFieldValue.objects.create(contact=cid, field=renewal, value_date=dt.date(2026, 1, 1))
    node = step(
        "wait_for_time", mode="field", field="contact.custom.renewal", offset_days=-3, at_time="09:00:00"
    )
    found = run(flow, cohort(node, ann, ben, cid))
    assert found.of(1000) == WaitUntil(
        dt.datetime(2026, 12, 7, 8, 0, tzinfo=dt.UTC),
        values={"until": "2026-12-07T09:00+01:00", "date": "2026-12-10"},
    )
    assert found.of(1001) == Advance(how="no_date")
    assert found.of(1002) == Advance(values={"until": "2025-12-29T09:00+01:00", "date": "2026-01-01"})


def test_wait_for_time_is_retimed_when_the_date_changed_meanwhile(flow: Flow) -> None:
    node = step("wait_for_time", mode="field", field="contact.date_of_birth")
    ann = contact("Ann", date_of_birth=dt.date(2026, 12, 24))
    (heard,) = STEP_KINDS[node.kind].listens_to(node)
    changes = [{"field": "contact.date_of_birth", "old": None, "new": "2026-12-24"}]
    assert heard.takes("contact.updated", None, "", "user", {"changes": changes})
    assert not heard.takes("contact.updated", None, "", "user", {"changes": [{"field": "contact.phone"}]})
    moved = WaitUntil(
        dt.datetime(2026, 12, 24, 8, 0, tzinfo=dt.UTC),
        values={"until": "2026-12-24T09:00+01:00", "date": "2026-12-24"},
    )
    assert run(flow, cohort(node, ann), method="resume").of(1000) == moved
    still = run(flow, cohort(step("wait_for_time", amount=2), ann), method="resume").of(1000)
    until = {"until": (NOW + dt.timedelta(days=2)).astimezone(OSLO).isoformat(timespec="minutes")}
    assert still == WaitUntil(NOW + dt.timedelta(days=2), values=until)


# --- wait_for_action ----------------------------------------------------------------------------------------------


def test_wait_for_action_says_what_it_waits_for_and_what_is_missing(flow: Flow, world: World) -> None:
    kind, ctx = STEP_KINDS["wait_for_action"], check_context(FlowDocument())
    empty = step("wait_for_action", limited=False)
    assert [(p.message, p.is_warning) for p in kind.problems(empty, ctx)] == [
        ("Choose what to wait for", False),
    ]
    node = step("wait_for_action", actions=[{"kind": "outside", "name": "paid"}], amount=1, exits=True)
    assert kind.problems(node, ctx) == []
    assert kind.summary(node, ctx) == "Until event “paid”, at most 1 day, then exit"
    gone = step("wait_for_action", actions=[{"kind": "open", "email": 987654}])
    assert [p.message for p in kind.problems(gone, ctx)] == [
        "The email of an action was deleted: choose another"
    ]


def test_wait_for_action_keeps_what_its_panel_was_given(flow: Flow, world: World) -> None:
    opened = f'{{"email":{world.welcome.pk},"kind":"open"}}'
    data = QueryDict(mutable=True)
    data.update({"title": "Wait", "events": "paid, signed, paid", "since": "entering", "unit": "hours"})
    data.update({"limited": "on", "amount": "3", "exits": "on"})
    data.setlist("acts", [opened])
    kind = STEP_KINDS["wait_for_action"]
    form = kind.Form(kind=kind, node=kind.new(), flow_id=flow.pk, data=data)
    assert form.is_valid(), form.errors
    settings = WaitForActionSettings.model_validate(form.settings())
    assert [a.model_dump(exclude_defaults=True) for a in settings.actions] == [
        {"kind": "open", "email": world.welcome.pk},
        {"kind": "outside", "name": "paid"},
        {"kind": "outside", "name": "signed"},
    ]
    assert (settings.since, settings.amount, settings.unit, settings.exits) == ("entering", 3, "hours", True)
    again = kind.Form(kind=kind, node=step("wait_for_action", **form.settings()), flow_id=flow.pk)
    assert (again.initial["acts"], again.initial["events"]) == ([opened], "paid, signed")


# --- split --------------------------------------------------------------------------------------------------------


def test_split_sends_everyone_into_the_leftmost_branch_that_holds(flow: Flow) -> None:
    chefs, cooks = Branch(name="Chefs", criteria=job("chef")), Branch(name="Cooks", criteria=job("cook"))
    node = split(chefs, cooks)
    both, cook, other = (
        contact("Ann", job_title="Chef cook"),
        contact("Ben", job_title="Cook"),
        contact("Cid", job_title=""),
    )
    found = run(flow, cohort(node, both, cook, other))
    assert found.of(1000) == Advance(chefs.id, values={"branch": "Chefs"})
    assert found.of(1001) == Advance(cooks.id, values={"branch": "Cooks"})
    assert found.of(1002) == Advance(node.branches[-1].id, values={"branch": "Everyone else"})


def test_split_exits_who_comes_into_an_exit_branch_without_steps(flow: Flow, world: World) -> None:
    way_out = ExitSettings(selection=world.selection.pk)
    node = split(
        Branch(name="Chefs", criteria=job("chef")), otherwise=Branch(name="Everyone else", exit=way_out)
    )
    found = run(flow, cohort(node, contact("Ben")))
    taken = node.branches[-1].id
    seen = {"rule": "Job title contains “chef”", "field": "contact.job_title", "seen": "", "group": 0}
    values = {"branch": "Everyone else", **seen}
    assert found.of(1000) == Exit("no_branch", values=values, exit=way_out, branch=taken)


def test_split_judges_a_cohort_with_one_statement(flow: Flow, django_assert_max_num_queries: Any) -> None:
    node = split(Branch(name="Chefs", criteria=job("chef")), Branch(name="Cooks", criteria=job("cook")))
    people = [contact(f"P{number}", job_title="Chef") for number in range(50)]
    with django_assert_max_num_queries(1):
        assert len(run(flow, cohort(node, *people)).by_id) == 50


# --- data ---------------------------------------------------------------------------------------------------------


def test_update_contact_writes_the_field_and_the_event(flow: Flow) -> None:
    ann = contact("Ann", job_title="Cook")
    lines = [{"field": "contact.job_title", "action": "set", "values": ["Chef"]}]
    assert run(flow, cohort(step("update_contact", lines=lines), ann)).of(1000) == GO_ON
    ann.refresh_from_db()
    assert ann.job_title == "Chef"
    event = Event.objects.get(kind="contact.updated")
    assert (event.contact_id, event.origin, event.flow_id) == (ann.pk, "flow", flow.pk)


def test_add_to_selection_and_remove_from_selection_change_the_members_once(flow: Flow, world: World) -> None:
    ann, ben = contact("Ann"), contact("Ben")
    add = step("add_to_selection", selection=world.selection.pk)
    run(flow, cohort(add, ann, ben))
    run(flow, cohort(add, ann))
    assert sorted(SelectionMember.objects.values_list("contact_id", flat=True)) == [ann.pk, ben.pk]
    assert Event.objects.filter(kind="selection.added", flow_id=flow.pk).count() == 2
    run(flow, cohort(step("remove_from_selection", selection=world.selection.pk), ann))
    assert list(SelectionMember.objects.values_list("contact_id", flat=True)) == [ben.pk]


# --- all of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [kind.name for kind in STEP_KINDS])
def test_every_kind_has_a_form_a_summary_a_doc_page_an_icon_and_a_test(name: str, flow: Flow) -> None:
    kind = STEP_KINDS[name]
    node = kind.new()
    ctx = check_context(FlowDocument(steps=(node,)))
    form = kind.Form(kind=kind, node=node, flow_id=flow.pk)
    assert "title" in form.fields
    assert kind.summary(node, ctx)
    assert node_problems(node, ctx) or name == "finish", "an empty step says what is missing"
    assert kind.label in (DOCS / "steps" / f"{name}.md").read_text()
    icons = (DOCS.parent / "frontend" / "icons.txt").read_text().splitlines()
    assert kind.icon in icons
    assert kind.family in {"message", "time", "split", "data", "goal"}
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert f"def test_{name}" in tests or f"_and_{name}_" in tests


@pytest.mark.parametrize("kind", [*TRIGGER_KINDS, *SUCCESS_KINDS], ids=lambda kind: str(kind.name))
def test_every_trigger_and_success_kind_has_a_doc_page_and_an_icon(kind: Any) -> None:
    folder = "triggers" if kind in list(TRIGGER_KINDS) else "success"
    assert kind.label in (DOCS / folder / f"{kind.name}.md").read_text()
    assert kind.icon in (DOCS.parent / "frontend" / "icons.txt").read_text().splitlines()


@pytest.mark.parametrize("kind", list(STEP_KINDS), ids=lambda kind: str(kind.name))
def test_a_kind_survives_its_own_form(kind: Any, flow: Flow, acme: Tenant) -> None:
    node = kind.new()
    shown = kind.Form(kind=kind, node=node, flow_id=flow.pk)
    posted = QueryDict(mutable=True)
    for field in shown:
        value = field.value()
        if isinstance(value, list):
            posted.setlist(field.name, value)
        elif value not in (None, "", False):
            posted[field.name] = str(value)
    form = kind.Form(kind=kind, node=node, flow_id=flow.pk, data=posted)
    assert form.is_valid(), form.errors
    assert kind.Settings.model_validate(form.settings()) == kind.settings(node)


# --- run_script ---------------------------------------------------------------------------------------------------


def test_run_script_says_what_is_missing_and_names_its_script(flow: Flow, alice: Person) -> None:
    made = save_script(
        script_id=None,
        name="Score",
        description="",
        source="result = 1",
        revision=0,
        actor=alice.user,
        now=NOW,
    )
    missing, gone, good = (
        step("run_script"),
        step("run_script", script=99),
        step("run_script", script=made.pk),
    )
    ctx = check_context(FlowDocument(steps=(missing, gone, good)))
    assert [p.message for p in node_problems(missing, ctx)] == ["Choose a script"]
    assert [p.message for p in node_problems(gone, ctx)] == ["The script was deleted: choose another"]
    assert node_problems(good, ctx) == []
    kind = STEP_KINDS["run_script"]
    assert (kind.summary(good, ctx), [r.id for r in kind.references(good)]) == ("Score", [made.pk])
