"""Steps that give work to colleagues: create_follow_up; and memberships of projects as steps, triggers, success."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict

from accounts.models import Membership
from core.tenancy import tenant_scope
from crm.events import Origin
from crm.models import Diary, Event, FollowUp, ListItem, Notification, Project, ProjectMember, SelectionMember
from flows.checking import check_context
from flows.document import FlowDocument, SuccessCriterion, Trigger
from flows.models import Flow
from flows.steps.base import Advance
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from flows.validation import node_problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step
from tests.flows.test_steps import cohort, contact, run
from tests.support.statements import statements


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


@pytest.fixture
def fair() -> Project:
    return Project.objects.create(name="Fair", created_at=NOW)


# --- create_follow_up ---------------------------------------------------------------------------------------------


def follow_up_step(**settings: Any) -> Any:
    return step("create_follow_up", subject="Call back", **settings)


def test_create_follow_up_makes_a_task_for_our_contact_or_the_owner(
    flow: Flow, alice: Person, rory: Person, fair: Project
) -> None:
    call = ListItem.objects.get(list="follow_up_type", name="Call")
    ann, ben = contact("Ann", our_contact=rory.user), contact("Ben")
    node = follow_up_step(
        when="after", amount=3, unit="workdays", type=call.pk, project=fair.pk, agenda="Ask"
    )
    found = run(flow, cohort(node, ann, ben))
    hers, his = FollowUp.objects.get(contact=ann), FollowUp.objects.get(contact=ben)
    assert [found.of(1000), found.of(1001)] == [
        Advance(values={"follow_up": hers.pk}),
        Advance(values={"follow_up": his.pk}),
    ]
    # NOW is a Wednesday: Thursday, Friday, Monday.
    assert (hers.day, hers.type, hers.project, hers.agenda) == (dt.date(2026, 11, 23), call, fair, "Ask")
    assert (hers.assignee, his.assignee) == (rory.user, alice.user)
    assert (hers.flow_id, hers.participant_id) == (flow.pk, 1000)
    events = Event.objects.filter(kind="follow_up.created")
    assert {(e.origin, e.flow_id, e.contact_id) for e in events} == {
        ("flow", flow.pk, ann.pk),
        ("flow", flow.pk, ben.pk),
    }
    assert sorted(Notification.objects.values_list("user_id", flat=True)) == sorted(
        [rory.user.pk, alice.user.pk]
    )


def test_create_follow_up_books_the_first_free_time_of_each_assignee(flow: Flow, rory: Person) -> None:
    people = [contact(f"P{number}", our_contact=rory.user) for number in range(3)]
    node = follow_up_step(what="meeting", minutes=45, when="after", amount=1, unit="days")
    run(flow, cohort(node, *people))
    starts = FollowUp.objects.order_by("id").values_list("starts_at", flat=True)
    # The tenant is in Oslo: 08:00 is 07:00 UTC.
    assert [f"{one:%d %H:%M}" for one in starts if one] == ["19 07:00", "19 07:45", "19 08:30"]


def test_create_follow_up_lets_who_has_no_free_time_go_on_without(flow: Flow, rory: Person) -> None:
    Diary.objects.create(user=rory.user, hours={})
    ann = contact("Ann", our_contact=rory.user)
    found = run(flow, cohort(follow_up_step(what="meeting"), ann))
    assert found.of(1000) == Advance(how="no_free_time")
    assert not FollowUp.objects.exists()


def test_create_follow_up_costs_the_same_statements_for_two_and_for_fifty(flow: Flow, rory: Person) -> None:
    people = [contact(f"P{number}", our_contact=rory.user) for number in range(50)]
    node = follow_up_step(what="meeting")
    with statements() as few:
        run(flow, cohort(node, *people[:2]))
    with statements() as many:
        run(flow, cohort(node, *people))
    assert len(few) == len(many)


def test_create_follow_up_says_what_is_missing_and_what_it_uses(flow: Flow, rory: Person) -> None:
    node = step("create_follow_up", who="named", when="after", unit="hours", project=10**9)
    ctx = check_context(FlowDocument(steps=(node,)))
    assert [(p.place, p.message) for p in node_problems(node, ctx)] == [
        ("subject", "Give the follow-up a title"),
        ("amount", "Say after how long"),
        ("unit", "A task has a day: count days, weeks or workdays"),
        ("project", "The project was deleted: choose another"),
        ("user", "Choose a user"),
    ]
    ready = follow_up_step(who="named", user=rory.user.pk, what="meeting")
    ctx = check_context(FlowDocument(steps=(ready,)))
    kind = STEP_KINDS["create_follow_up"]
    assert node_problems(ready, ctx) == []
    assert kind.summary(ready, ctx) == "Meeting, 30 min “Call back” for Rory Silva, first free time"
    assert [(r.kind, r.id) for r in kind.references(ready)] == [("user", rory.user.pk)]


# --- distribute_to_owner ------------------------------------------------------------------------------------------


def test_distribute_to_owner_hands_out_in_turn_and_says_to_whom(
    flow: Flow, alice: Person, bob: Person, rory: Person
) -> None:
    people = [contact("Ann"), contact("Ben"), contact("Cid", our_contact=alice.user), contact("Dee")]
    node = step("distribute_to_owner", users=[rory.user.pk, bob.user.pk])
    found = run(flow, cohort(node, *people))
    first, second = sorted([bob.user.pk, rory.user.pk])
    assert [found.of(number) for number in range(1000, 1004)] == [
        Advance(values={"user": first}),
        Advance(values={"user": second}),
        Advance(how="assigned_already"),
        Advance(values={"user": first}),
    ]
    for person in people:
        person.refresh_from_db()
    assert [person.our_contact_id for person in people] == [first, second, alice.user.pk, first]


def test_distribute_to_owner_falls_back_to_the_flows_owner(flow: Flow, alice: Person, rory: Person) -> None:
    Membership.objects.filter(user=rory.user).update(is_active=False)
    node = step("distribute_to_owner", users=[rory.user.pk], fallback_user=rory.user.pk)
    assert run(flow, cohort(node, contact("Ann"))).of(1000) == Advance(values={"user": alice.user.pk})


def test_distribute_to_owner_says_what_is_missing(flow: Flow, alice: Person, rory: Person) -> None:
    def say(**settings: Any) -> list[tuple[str, bool]]:
        node = step("distribute_to_owner", **settings)
        return [
            (p.message, p.is_warning) for p in node_problems(node, check_context(FlowDocument(steps=(node,))))
        ]

    assert say() == [("Choose users or groups", False)]
    assert say(users=[10**9]) == [("A chosen user is not active any more", False)]
    assert say(users=[10**9, rory.user.pk], groups=[10**9]) == [
        ("A chosen user is not active any more", True),
        ("A chosen group was deleted", True),
    ]
    node = step("distribute_to_owner", users=[rory.user.pk])
    kind = STEP_KINDS["distribute_to_owner"]
    assert kind.summary(node, check_context(FlowDocument(steps=(node,)))) == "In turn to Rory Silva"
    form = kind.Form(
        kind=kind,
        node=node,
        flow_id=flow.pk,
        data=QueryDict(f"title=Hand out&users={rory.user.pk}&users={alice.user.pk}&fallback_user="),
    )
    assert form.is_valid(), form.errors
    assert form.settings() == {
        "users": [rory.user.pk, alice.user.pk],
        "groups": [],
        "only_unassigned": False,
        "fallback_user": None,
    }


# --- memberships --------------------------------------------------------------------------------------------------


def test_add_to_selection_and_remove_from_selection_take_a_project_too(
    flow: Flow, world: World, fair: Project
) -> None:
    ann, ben = contact("Ann"), contact("Ben")
    both: dict[str, Any] = {"selection": world.selection.pk, "project": fair.pk}
    run(flow, cohort(step("add_to_selection", **both), ann, ben))
    run(flow, cohort(step("add_to_selection", project=fair.pk), ann))
    assert ProjectMember.objects.count() == SelectionMember.objects.count() == 2
    assert Event.objects.filter(kind="project.added", origin="flow", flow_id=flow.pk).count() == 2
    run(flow, cohort(step("remove_from_selection", project=fair.pk), ann))
    assert list(ProjectMember.objects.values_list("contact_id", flat=True)) == [ben.pk]
    assert SelectionMember.objects.count() == 2
    assert Event.objects.filter(kind="project.removed", flow_id=flow.pk).count() == 1


def test_a_membership_step_names_both_and_misses_what_is_gone(world: World, fair: Project) -> None:
    node = step("add_to_selection", selection=world.selection.pk, project=fair.pk)
    ctx = check_context(FlowDocument(steps=(node,)))
    kind = STEP_KINDS["add_to_selection"]
    assert kind.summary(node, ctx) == "Autumn prospects and Fair"
    assert {(r.kind, r.id) for r in kind.references(node)} == {
        ("selection", world.selection.pk),
        ("project", fair.pk),
    }
    gone = step("add_to_selection", project=10**9)
    assert [p.message for p in node_problems(gone, check_context(FlowDocument(steps=(gone,))))] == [
        "The project was deleted: choose another"
    ]
    empty = step("remove_from_selection")
    assert [p.message for p in node_problems(empty, check_context(FlowDocument(steps=(empty,))))] == [
        "Choose a selection or a project"
    ]


def test_added_to_project_answers_to_its_project_but_not_to_imports(fair: Project) -> None:
    kind = TRIGGER_KINDS["added_to_project"]
    trigger = Trigger(kind=kind.name, settings={"project": fair.pk})
    rule = kind.event_filter(trigger)
    assert rule.takes("project.added", fair.pk, "", Origin.FLOW, {})
    assert not rule.takes("project.added", fair.pk, "", Origin.IMPORT, {})
    assert not rule.takes("project.added", fair.pk + 1, "", Origin.USER, {})
    assert not kind.event_filter(Trigger(kind=kind.name)).takes("project.added", fair.pk, "", "user", {})
    ctx = check_context(FlowDocument(triggers=(trigger,)))
    assert kind.summary(trigger, ctx) == "Added to “Fair”"
    assert [p.message for p in kind.problems(Trigger(kind=kind.name), ctx)] == ["Choose a project"]


def test_follow_up_created_takes_any_or_one_type() -> None:
    call = ListItem.objects.get(list="follow_up_type", name="Call")
    kind = SUCCESS_KINDS["follow_up_created"]
    anything, calls = (
        SuccessCriterion(kind=kind.name, settings=settings) for settings in ({}, {"type": call.pk})
    )
    made = {"follow_up": {"type_id": call.pk, "type": "Call"}}
    other = {"follow_up": {"type_id": None, "type": ""}}
    for criterion, data, expected in ((anything, other, True), (calls, made, True), (calls, other, False)):
        taken = kind.event_filter(criterion).takes("follow_up.created", 1, "", "user", data)
        assert taken is expected
    ctx = check_context(FlowDocument(success=(calls,)))
    assert kind.summary(calls, ctx) == "Follow-up of type Call"
    assert kind.problems(SuccessCriterion(kind=kind.name, settings={"type": 10**9}), ctx)[0].place == "type"
