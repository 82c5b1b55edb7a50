"""Flow files: the round trip, and what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import Tenant
from content.models import Email, Form, TrackedLink
from core.tenancy import tenant_scope
from crm.models import CustomField, ListItem, Project, Selection
from flows.document import (
    FlowDocument,
    FlowSettings,
)
from flows.exchange.matching import OPEN, matched
from flows.exchange.reading import read_file
from flows.models import Flow
from flows.operations.bring_in import bring_in
from flows.operations.create import create_flow
from flows.operations.drafts import draft_of
from flows.references import uses
from flows.validation import problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step
from tests.flows.exchange_files import exported, make_rich


@pytest.fixture
def rich(acme: Tenant, alice: Person, world: World) -> Flow:
    return make_rich(acme, alice, world)


def test_everything_that_a_flow_names_is_told_in_the_files_own_numbers(rich: Flow, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        data = exported(rich, alice)
        named = {use.reference.kind for use in uses(draft_of(rich))}
    told = json.loads(data)["uses"]
    assert {one["kind"] for one in told} == named
    by_kind: dict[str, list[int]] = {}
    for one in told:
        by_kind.setdefault(one["kind"], []).append(one["id"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_kind.values())
    assert "alice@acme.test" not in data.decode().lower()
    assert read_file(data).name == "Rich <b>flow</b>"


def test_in_the_same_tenant_the_round_trip_is_equal(rich: Flow, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        first = exported(rich, alice)
        file = read_file(first)
        found = matched(file, member=alice.member)
        assert [one.used.name for one in found.missing] == []
        again = bring_in(
            file=file, decisions=found.decisions, name=file.name, member=alice.member, now=NOW
        ).flow
        assert exported(again, alice) == first
        before, after = draft_of(rich), draft_of(again)
        assert after.steps[0].settings["email"] != before.steps[0].settings["email"]
        assert after.steps[3].settings == before.steps[3].settings
        assert after.finish.no_success.flow == again.pk
        email = Email.objects.get(pk=after.steps[0].settings["email"])
        assert (email.flow_id, email.name, email.current_id is not None) == (again.pk, "Welcome", True)
        assert after.steps[1].settings["actions"][1]["email"] == email.pk
        assert [p.message for p in problems(after, now=NOW)] == [p.message for p in problems(before, now=NOW)]


def test_in_another_tenant_all_of_it_is_made_and_nothing_points_home(
    rich: Flow, alice: Person, charlie: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        data = exported(rich, alice)
    with tenant_scope(charlie.tenant.pk):
        file = read_file(data)
        found = matched(file, member=charlie.member)
        left = {one.used.name for one in found.missing if one.decision == OPEN}
        assert left == {"Alice Wong", "Marketing"}
        flow = bring_in(
            file=file, decisions=found.decisions, name="Rich", member=charlie.member, now=NOW
        ).flow
        document = draft_of(flow)
        link = TrackedLink.objects.get(name="Price list")
        assert link.tag in Email.objects.get(name="Welcome").mjml
        assert Form.objects.get(name="Sign-up 🎉").is_open is False
        field = CustomField.objects.get(name="Size")
        large = ListItem.objects.get(field=field, name="Large")
        assert document.steps[4].settings["lines"][1]["values"] == [str(large.pk)]
        dynamic = Selection.objects.get(name="Large ones")
        assert dynamic.criteria["groups"][0]["lines"][0]["values"] == [str(large.pk)]  # type: ignore[index]
        assert document.settings.exclusions == (dynamic.pk,)
        told = [
            (problem.title, problem.place)
            for problem in problems(document, now=NOW)
            if not problem.is_warning
        ]
        assert ("Turn", "users") in told or any(title == "Turn" for title, _ in told)
        assert not {use.reference.id for use in uses(document)} - {0} - {
            pk for model in (Email, Form, TrackedLink, Selection, Project, ListItem, CustomField)
            for pk in model.objects.values_list("pk", flat=True)
        } - {pk for (_, pk) in _others(document)}  # fmt: skip


def _others(document: FlowDocument) -> set[tuple[str, int]]:
    kinds = {"flow", "script", "subscription_type", "user", "group"}
    return {(u.reference.kind, u.reference.id) for u in uses(document) if u.reference.kind in kinds}


def test_what_is_left_open_is_a_problem_where_it_is_used(rich: Flow, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        file = read_file(exported(rich, alice))
        flow = bring_in(file=file, decisions={}, name="Open", member=alice.member, now=NOW).flow
        document = draft_of(flow)
        places = {problem.title.partition(":")[0] for problem in problems(document, now=NOW)}
        assert {use.reference.id for use in uses(document) if use.reference.kind == "selection"} == {0}
    assert places >= {
        "Enrolment settings", "Message settings", "Trigger", "Filter", "Success criteria", "Wait", "Who", "Score",
        "Keep", "Mark", "Call", "Turn", "Finish",
    }  # fmt: skip


# Where nothing chosen is right: left open it must not quietly become "nothing".
OPTIONAL = [
    ("wait_for_action", "exit_flow", {"exits": True}),
    ("wait_for_action", "exit_selection", {"exits": True}),
    ("send_sms", "exit_flow", {"if_cannot": "exit"}),
    ("send_sms", "exit_selection", {"if_cannot": "exit"}),
    ("create_follow_up", "type", {}),
    ("create_follow_up", "project", {}),
    ("create_follow_up", "fallback_user", {}),
    ("create_sale", "project", {"sale_type": 1}),
    ("create_sale", "fallback_user", {"sale_type": 1}),
    ("notify_by_email", "fallback_user", {}),
    ("notify_by_sms", "fallback_user", {}),
    ("distribute_to_owner", "fallback_user", {"users": [0]}),
    ("add_to_selection", "project", {}),
    ("remove_from_selection", "project", {}),
]


@pytest.mark.parametrize(("kind", "setting", "more"), OPTIONAL)
def test_what_may_stay_empty_is_still_a_problem_when_it_was_left_open(
    acme: Tenant, kind: str, setting: str, more: dict[str, Any]
) -> None:
    with tenant_scope(acme.pk):

        def told(value: int | None) -> set[str]:
            node = step(kind, "It", **{**more, setting: value})
            return {
                p.message for p in problems(FlowDocument(steps=(node,)), now=NOW) if p.part.startswith("step")
            }

        assert told(0) - told(None)


def test_settings_of_a_blank_flow_survive(acme: Tenant, alice: Person) -> None:
    with tenant_scope(acme.pk):
        flow = create_flow(
            name="Blank", owner=alice.user, now=NOW, document=FlowDocument(settings=FlowSettings())
        )
        first = exported(flow, alice)
        again = bring_in(file=read_file(first), decisions={}, name="Blank", member=alice.member, now=NOW)
        assert exported(again.flow, alice) == first
