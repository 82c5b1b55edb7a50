"""Waiting for an action: what happened first counts, what is waited for stays as it was on arrival, and events find
who waits."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from crm.events import NewEvent, Origin, record_events
from crm.models import Contact, CustomField
from flows.document import Branch, FlowDocument, StepNode
from flows.models import Flow
from participants.engine.forcing import move_on
from participants.intake import take_events
from participants.models import Participant, Visit
from tests.participants.conftest import DAY, NOW, World, send, update, wait, when

HOUR = dt.timedelta(hours=1)


def wait_for(title: str = "Answer?", **settings: Any) -> StepNode:
    """Return a wait for an outside event, unless told otherwise."""
    chosen = {"actions": [{"kind": "outside", "name": "paid"}], **settings}
    return StepNode(kind="wait_for_action", title=title, settings=chosen)


def happened(
    world: World, contact: Contact, kind: str = "outside", *, at: dt.datetime | None = None, **fields: Any
) -> None:
    """Record an event; by default the outside event that is waited for."""
    if kind == "outside":
        fields = {"object_key": "paid", **fields}
    moment = world.now if at is None else at
    record_events([NewEvent(kind=kind, contact_id=contact.pk, at=moment, origin=Origin.API, **fields)])


def take(world: World) -> set[int]:
    """Take the inbox; return the flows that have something due."""
    return take_events(tenant_id=world.tenant.pk, now=world.now).flows


def waiting(world: World, *steps: StepNode, **more: Any) -> tuple[Flow, Contact]:
    """Return a flow with Anna in its first wait."""
    anna = world.contact("Anna")
    flow = world.flow(*steps, **more)
    world.suggest(flow, anna)
    world.advance(flow)
    return flow, anna


def test_an_action_ends_the_wait_at_once_and_the_visit_says_by_what(world: World) -> None:
    flow, anna = waiting(world, wait_for(), update("contact.job_title", "set", "Paid"))
    person = world.one(flow, anna)
    assert (person.waiting, person.listening, person.waits_until) == (True, True, NOW + 7 * DAY)
    world.now += HOUR
    happened(world, anna)

    assert take(world) == {flow.pk}
    world.advance(flow)

    assert world.one(flow, anna).status == "finished"
    visit = Visit.objects.get(participant_id=person.pk, number=1)
    assert (visit.ended, visit.how, visit.values) == (
        "went_on",
        "",
        {
            "waited_until": "2026-11-30T12:00+00:00",
            "ended_by": "action",
            "action": 0,
            "at": "2026-11-23T13:00+00:00",
        },
    )


def test_another_event_or_another_contacts_event_wakes_nobody(world: World) -> None:
    flow, anna = waiting(world, wait_for())
    happened(world, world.contact("Ben"))
    happened(world, anna, object_key="refunded")

    assert take(world) == set()
    assert world.one(flow, anna).due_at == NOW + 7 * DAY


def test_a_time_out_goes_on_or_drops_out_with_selection_and_onward_flow(world: World) -> None:
    silent = world.selection("Silent")
    onward = world.flow(wait(1), name="Onward")
    exits: dict[str, Any] = {"exits": True, "exit_selection": silent.pk, "exit_flow": onward.pk}
    strict, anna = waiting(world, wait_for(**exits), name="Strict")
    mild = world.flow(wait_for(), name="Mild")
    world.suggest(mild, anna)
    world.advance(mild)

    world.now += 7 * DAY
    world.advance(strict)
    world.advance(mild)

    dropped = world.one(strict, anna)
    assert (dropped.status, dropped.drop_reason) == ("dropped", "no_reply")
    assert dropped.drop_values == {"waited_until": "2026-11-30T12:00+00:00"}
    assert world.path(world.one(mild, anna)) == [("Answer?", "went_on", "timed_out")]
    take(world)
    assert world.one(onward, anna).status == "active"
    assert silent.members.filter(contact=anna).exists()


def test_what_happened_first_counts_not_what_was_processed_first(world: World) -> None:
    flow, anna = waiting(world, wait_for(exits=True))
    ben = world.contact("Ben")
    world.suggest(flow, ben)
    world.advance(flow)
    # Anna acts a second before her time is up, Ben a second after; intake has taken neither when time is up.
    happened(world, anna, at=NOW + 7 * DAY - dt.timedelta(seconds=1))
    happened(world, ben, at=NOW + 7 * DAY + dt.timedelta(seconds=1))

    world.advance(flow, days=8)

    assert world.one(flow, anna).status == "finished"
    assert world.one(flow, ben).drop_reason == "no_reply"


def test_an_action_in_a_pause_takes_effect_at_resume_also_when_the_time_is_long_up(world: World) -> None:
    flow, anna = waiting(world, wait_for(exits=True))
    Flow.objects.filter(pk=flow.pk).update(status="paused")
    world.now += 3 * DAY
    happened(world, anna)
    take(world)
    assert world.advance(flow, days=30).claimed == 0
    Flow.objects.filter(pk=flow.pk).update(status="running")

    world.advance(flow)

    assert world.one(flow, anna).status == "finished"


@pytest.mark.parametrize(("since", "status"), [("entering", "finished"), ("arrival", "active")])
def test_what_happened_before_arrival_counts_only_if_the_step_says_so(
    world: World, since: str, status: str
) -> None:
    anna = world.contact("Anna")
    flow = world.flow(wait(1), wait_for(since=since))
    world.suggest(flow, anna)
    world.advance(flow)
    happened(world, anna, at=NOW + HOUR)
    take(world)

    world.advance(flow, days=1)

    assert world.one(flow, anna).status == status


def test_the_event_that_enrolled_never_ends_a_wait(world: World) -> None:
    from flows.document import Trigger

    flow = world.flow(
        wait_for(since="entering", actions=[{"kind": "outside", "name": "paid"}], limited=False),
        triggers=(Trigger(kind="contact_created"),),
    )
    anna = world.contact("Anna")
    record_events([NewEvent("contact.created", anna.pk, NOW, Origin.USER)])
    take(world)
    person = world.one(flow, anna)
    assert person.event_data is not None
    # The same event under the name that is waited for: as if the trigger had been it.
    brought_by = person.event_data["event_id"]
    from crm.models import Event

    Event.objects.filter(pk=brought_by).update(kind="outside", object_key="paid")

    world.advance(flow)

    assert (world.one(flow, anna).waiting, world.one(flow, anna).due_at) == (True, None)


def test_waiting_for_ever_ends_by_the_action_after_years(world: World) -> None:
    flow, anna = waiting(world, wait_for(limited=False))
    assert world.one(flow, anna).due_at is None
    world.now += 900 * DAY
    happened(world, anna)
    take(world)
    world.advance(flow)
    assert world.one(flow, anna).status == "finished"


def test_criteria_that_come_true_end_the_wait_and_those_that_hold_on_arrival_are_no_wait(
    world: World,
) -> None:
    criteria = when("contact.category", "one_of", world.customer.pk).model_dump(mode="json")
    flow, anna = waiting(world, wait_for(actions=[], criteria=criteria, exits=True))
    ben = world.contact("Ben", category=world.customer)
    world.suggest(flow, ben)
    world.advance(flow)
    assert world.one(flow, ben).status == "finished"
    Contact.objects.filter(pk=anna.pk).update(job_title="Chef")
    happened(world, anna, "contact.updated")
    assert take(world) == set()
    world.now += DAY
    Contact.objects.filter(pk=anna.pk).update(category=world.customer)
    happened(world, anna, "contact.updated")
    assert take(world) == {flow.pk}
    # Back again before the engine comes: it came true while she waited, and that counts.
    Contact.objects.filter(pk=anna.pk).update(category=world.prospect)

    world.advance(flow)

    assert world.one(flow, anna).status == "finished"


def test_a_wait_keeps_the_end_and_actions_it_arrived_with_and_the_way_on_is_the_newest(world: World) -> None:
    node = wait_for(amount=2)
    flow, anna = waiting(world, node)
    later = node.model_copy(
        update={"settings": {"actions": [{"kind": "outside", "name": "signed"}], "amount": 9, "exits": True}}
    )
    world.save(flow, FlowDocument(steps=(later, update("contact.job_title", "set", "New way"))))
    ben = world.contact("Ben")
    world.suggest(flow, ben)
    world.advance(flow)
    assert [world.one(flow, one).waits_until for one in (anna, ben)] == [NOW + 2 * DAY, NOW + 9 * DAY]

    happened(world, anna)
    happened(world, ben)
    take(world)
    world.advance(flow)

    assert (world.one(flow, anna).status, world.one(flow, ben).status) == ("finished", "active")
    assert Contact.objects.get(pk=anna.pk).job_title == "New way"


def test_a_changed_date_moves_the_end_of_a_wait_for_it(world: World) -> None:
    CustomField.objects.create(on="contact", key="renewal", name="Renewal", type="date")
    node = StepNode(
        kind="wait_for_time", title="Birthday", settings={"mode": "field", "field": "contact.date_of_birth"}
    )
    anna = world.contact("Anna", date_of_birth=dt.date(2026, 12, 24))
    flow = world.flow(node)
    world.suggest(flow, anna)
    world.advance(flow)
    assert world.one(flow, anna).waits_until == dt.datetime(2026, 12, 24, 9, tzinfo=dt.UTC)

    Contact.objects.filter(pk=anna.pk).update(date_of_birth=dt.date(2026, 12, 1))
    happened(world, anna, "contact.updated", data={"changes": [{"field": "contact.job_title"}]})
    assert take(world) == set()
    change = {"field": "contact.date_of_birth", "old": "2026-12-24", "new": "2026-12-01"}
    happened(world, anna, "contact.updated", data={"changes": [change]})
    assert take(world) == {flow.pk}
    world.advance(flow)

    person = world.one(flow, anna)
    assert (person.waits_until, person.due_at, person.status) == (
        dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC),
        dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC),
        "active",
    )
    assert world.path(person) == [("Birthday", "", "")]


def test_a_wait_that_is_hurried_by_success_without_move_to_finish_waits_on(world: World) -> None:
    flow, anna = waiting(world, wait(5))
    Participant.objects.filter(flow_id=flow.pk).update(due_at=NOW)

    world.advance(flow)

    person = world.one(flow, anna)
    assert (person.status, person.due_at, person.waiting) == ("active", NOW + 5 * DAY, True)


def test_moved_on_by_a_user_ends_the_wait_after_the_guards(world: World) -> None:
    flow, anna = waiting(world, wait_for(), send(world.email()))
    ben = world.contact("Ben")
    world.suggest(flow, ben)
    world.advance(flow)
    Contact.objects.filter(pk=ben.pk).update(former_employee=True)
    people = [world.one(flow, one).pk for one in (anna, ben)]

    result = move_on(tenant_id=world.tenant.pk, flow_id=flow.pk, participant_ids=people, now=world.now)

    assert (result.claimed, result.messages) == (2, 1)
    assert world.path(world.one(flow, anna)) == [("Answer?", "went_on", "moved_on"), ("Send", "went_on", "")]
    assert world.one(flow, ben).drop_reason == "former_employee"


def test_a_split_after_the_wait_goes_by_the_newest_branches(world: World) -> None:
    node = wait_for()
    flow, anna = waiting(world, node)
    chefs = Branch(name="Chefs", criteria=when("contact.job_title", "contains", "chef"))
    world.save(
        flow,
        FlowDocument(
            steps=(
                node,
                StepNode(kind="split", title="Split", branches=(chefs, Branch(name="Everyone else"))),
            )
        ),
    )
    happened(world, anna)
    take(world)
    world.advance(flow)
    assert world.path(world.one(flow, anna)) == [("Answer?", "went_on", ""), ("Split", "went_on", "")]


def test_a_failed_step_may_be_tried_again_as_a_new_visit_and_the_numbers_add_up(world: World) -> None:
    from participants import counters
    from participants.operations.leaving import leave
    from participants.operations.moving_on import retry

    flow, anna = waiting(world, wait_for())
    person = world.one(flow, anna)
    from core.db.cursors import raw_cursor

    with raw_cursor() as cursor:
        leave(
            cursor,
            tenant_id=world.tenant.pk,
            participant_ids=[person.pk],
            now=world.now,
            reason="step_failed",
        )

    tried = [
        retry(flow_id=flow.pk, participant_ids=[person.pk], actor=world.user, now=world.now) for _ in "ab"
    ]

    assert tried == [1, 0]
    world.advance(flow)
    again = world.one(flow, anna)
    assert (again.status, again.waiting, again.visit_number, again.drop_reason) == ("active", True, 2, "")
    assert world.path(again) == [("Answer?", "left", "step_failed"), ("Answer?", "", "")]
    assert counters.flow_counts([flow.pk])[flow.pk]["dropped:step_failed"] == 0
    (measures,) = counters.step_counts(flow.pk).values()
    assert (measures["entered"], measures["left"], measures["here"]) == (2, 1, 1)
