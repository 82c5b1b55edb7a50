"""Dynamic selections in the engine: added to a flow by hand, in a split, as a filter, and as success when they move."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Membership, Role
from crm.bulk import Change
from crm.operations.contacts import edit_contact
from crm.operations.selections import Rule, create_selection
from flows.document import Branch, SuccessCriterion
from flows.steps.table import STEP_KINDS
from participants.models import Participant
from participants.operations import adding
from participants.operations.adding import Chosen, start_adding
from tests.participants.conftest import World, wait, when
from tests.participants.test_intake import take


def chefs(world: World) -> int:
    rule = Rule(criteria=when("contact.job_title", "contains", "chef"))
    return create_selection(name="Chefs", description="", rule=rule, actor=world.user, now=world.now).pk


def test_everyone_in_a_dynamic_selection_is_added_to_a_flow_slice_by_slice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "SLICE", 2)
    member = Membership.objects.create(user=world.user, role=Role.objects.create(name="Rep"))
    people = [world.contact(f"P{number}", job_title="Chef") for number in range(5)]
    world.contact("Baker", job_title="Baker")
    flow = world.flow(wait(1))
    chosen = Chosen(selection_id=chefs(world))
    job = start_adding(flow_id=flow.pk, chosen=chosen, token="t", member=member, now=world.now)
    assert (job.total, job.done, job.status) == (5, 5, "done")
    entered = Participant.objects.filter(flow_id=flow.pk).values_list("contact_id", flat=True)
    assert sorted(entered) == sorted(one.pk for one in people)


def test_a_split_and_a_filter_ask_for_a_dynamic_selection(world: World) -> None:
    selection = chefs(world)
    anna, ben = world.contact("Anna", job_title="Chef"), world.contact("Ben", job_title="Baker")
    node = STEP_KINDS["split"].new()
    branch = Branch(
        name="Chefs", criteria=when("contact.selections", "one_of", selection), steps=(wait(2, title="Chef"),)
    )
    node = node.model_copy(update={"branches": (branch, node.branches[-1])})
    flow = world.flow(node, wait(3, title="Other"))
    world.suggest(flow, anna, ben)
    world.advance(flow)
    assert world.path(world.one(flow, anna))[-1][0] == "Chef"
    assert world.path(world.one(flow, ben))[-1][0] == "Other"
    filtered = world.flow(wait(1), name="Filtered", filter=when("contact.selections", "one_of", selection))
    world.suggest(filtered, anna, ben)
    assert list(Participant.objects.filter(flow_id=filtered.pk).values_list("contact_id", flat=True)) == [
        anna.pk
    ]


def test_success_is_judged_when_the_contact_moves_into_the_selection(world: World) -> None:
    selection = chefs(world)
    anna = world.contact("Anna", job_title="Baker")
    criterion = SuccessCriterion(kind="criteria", criteria=when("contact.selections", "one_of", selection))
    flow = world.flow(wait(5), success=(criterion,))
    world.suggest(flow, anna)
    world.advance(flow)
    assert world.one(flow, anna).success_at is None
    world.now += dt.timedelta(hours=1)
    edit_contact(
        contact_id=anna.pk, changes=[Change("contact.job_title", "set", ("Head chef",))], now=world.now
    )
    take(world)
    assert world.one(flow, anna).success_at == world.now
