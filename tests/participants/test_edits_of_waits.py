"""Editing a wait with people in it: who keeps what they arrived with, and whom the editor has reckoned anew."""

from __future__ import annotations

import pytest

from flows.document import (
    Branch,
    FlowDocument,
    StepNode,
)
from flows.editing import steps
from flows.models import Flow
from flows.occupancy import PeopleInside
from flows.operations import drafts
from flows.operations.save import save_draft
from participants.models import Participant, Visit
from tests.participants.conftest import DAY, NOW, World, wait, when
from tests.participants.edits import document, edit, told, with_step
from tests.participants.test_waits import HOUR, happened, take, wait_for
from tests.support.statements import statements


def test_whoever_waits_keeps_the_end_unless_the_editor_ticks_and_then_it_is_reckoned_from_arrival(
    world: World,
) -> None:
    node = wait(5)
    flow = world.flow(node, wait(1, title="After"))
    anna, ben = world.contact("Anna"), world.contact("Ben")
    world.suggest(flow, anna)
    world.advance(flow)
    world.advance(flow, days=1)
    new = with_step(flow, node, amount=2, unit="days")
    assert told(flow, new) == [("stay", "Wait", 1, 1)]

    edit(world, flow, new)
    world.suggest(flow, ben)
    world.advance(flow)
    assert (world.one(flow, anna).waits_until, world.one(flow, ben).waits_until) == (
        NOW + 5 * DAY,
        NOW + 3 * DAY,
    )

    newer = with_step(flow, node, amount=3, unit="days")
    assert told(flow, newer) == [("stay", "Wait", 2, 2)]
    revision = edit(world, flow, newer, retime=[node.id])
    world.advance(flow)
    assert (world.one(flow, anna).waits_until, world.one(flow, ben).waits_until) == (
        NOW + 3 * DAY,
        NOW + 4 * DAY,
    )
    assert list(Visit.objects.values_list("revision", flat=True)) == [revision.number] * 2
    assert world.advance(flow, days=1.99).steps == 0
    world.advance(flow, days=0.02)
    assert world.path(world.one(flow, anna))[0] == ("Wait", "went_on", "")


def test_a_retimed_wait_whose_end_is_past_is_over_at_once(world: World) -> None:
    node = wait(5)
    flow = world.flow(node)
    anna = world.contact("Anna")
    world.suggest(flow, anna)
    world.advance(flow)
    world.advance(flow, days=3)
    edit(world, flow, with_step(flow, node, amount=2, unit="days"), retime=[node.id])
    world.advance(flow)
    assert world.one(flow, anna).status == "finished"


def test_a_retimed_wait_for_an_action_listens_to_the_new_actions_also_to_those_since_arrival(
    world: World,
) -> None:
    node = wait_for()
    flow = world.flow(node, wait(1, title="After"))
    anna, ben, cid = (world.contact(name) for name in ("Anna", "Ben", "Cid"))
    world.suggest(flow, anna, ben, cid)
    world.advance(flow)
    world.now += HOUR
    happened(world, anna, object_key="signed")  # not waited for yet
    take(world)
    world.advance(flow)
    assert world.one(flow, anna).waiting

    settings = {
        "actions": [{"kind": "outside", "name": "signed"}],
        "amount": 3,
        "unit": "days",
        "exits": True,
    }
    edit(world, flow, with_step(flow, node, **settings), retime=[node.id])
    happened(world, ben)  # "paid" is waited for no longer
    take(world)
    world.advance(flow)
    assert world.path(world.one(flow, anna)) == [("Answer?", "went_on", ""), ("After", "", "")]
    assert world.one(flow, ben).waits_until == NOW + 3 * DAY
    happened(world, cid, object_key="signed")
    assert take(world) == {flow.pk}
    world.advance(flow)
    assert world.path(world.one(flow, cid))[0] == ("Answer?", "went_on", "")
    world.now = NOW + 3 * DAY
    world.advance(flow)
    assert world.one(flow, ben).drop_reason == "no_reply", "the new exit counts"


def test_without_the_tick_the_old_action_and_exit_still_count(world: World) -> None:
    node = wait_for(exits=True)
    flow = world.flow(node)
    anna = world.contact("Anna")
    world.suggest(flow, anna)
    world.advance(flow)
    edit(world, flow, with_step(flow, node, actions=[{"kind": "outside", "name": "signed"}]))
    world.now += HOUR
    happened(world, anna, object_key="signed")
    take(world)
    world.advance(flow)
    assert world.one(flow, anna).waiting
    happened(world, anna)
    take(world)
    world.advance(flow)
    assert world.one(flow, anna).status == "finished"


def test_a_wait_for_time_that_becomes_one_for_a_date_field_listens_while_the_flow_is_still_paused(
    world: World,
) -> None:
    node = wait(5)
    flow = world.flow(node)
    anna = world.contact("Anna")
    world.suggest(flow, anna)
    world.advance(flow)
    Participant.objects.update(heard_at=NOW)
    edit(world, flow, with_step(flow, node, mode="field", field="contact.created"), retime=[node.id])
    person = world.one(flow, anna)
    assert (person.listening, person.heard_at, person.waits_until, person.due_at) == (
        True,
        None,
        None,
        world.now,
    )


def test_retiming_is_one_statement_a_step_whatever_number_waits_and_leaves_other_flows_alone(
    world: World,
) -> None:
    other = world.flow(wait(5), name="Other")

    def counted(number: int) -> int:
        node = wait(5)
        flow = world.flow(node, name=f"Many {number}")
        people = [world.contact(f"P{number}x{n}") for n in range(number)]
        world.suggest(flow, *people)
        world.advance(flow)
        new = with_step(flow, node, amount=2, unit="days")
        Flow.objects.filter(pk=flow.pk).update(status="paused")
        flow.refresh_from_db()
        changed = drafts.apply(
            flow_id=flow.pk,
            base_version=flow.draft_version,
            change=lambda _: new,
            label="e",
            actor=world.user,
            now=world.now,
        )
        with statements() as seen:
            save_draft(
                flow_id=flow.pk,
                base_version=changed.draft_version,
                actor=world.user,
                now=world.now,
                retime=[node.id],
            )
        assert Participant.objects.filter(flow_id=flow.pk, due_at=world.now).count() == number
        return len(seen)

    world.suggest(other, world.contact("Else"))
    world.advance(other)
    assert counted(2) == counted(25)
    assert Participant.objects.get(flow_id=other.pk).due_at == NOW + 5 * DAY


def test_a_wait_with_people_cannot_be_removed_and_the_refusal_knows_where_they_are(world: World) -> None:
    inner = wait(2, title="Inner")
    fork = StepNode(
        kind="split",
        title="Fork",
        branches=(
            Branch(name="A", criteria=when("contact.country", "is_set"), steps=()),
            Branch(steps=(inner,)),
        ),
    )
    flow = world.flow(fork)
    world.suggest(flow, world.contact("Anna"))
    world.advance(flow)
    for new in (
        steps.remove(document(flow), step_id=inner.id),
        FlowDocument(settings=flow.draft["settings"]),
    ):
        with pytest.raises(PeopleInside) as refused:
            edit(world, flow, new)
        assert refused.value.step_id == inner.id
