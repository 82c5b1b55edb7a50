"""Whoever has left a flow or reached its goal gets none of its mails any more, also not by *Try again*."""

from __future__ import annotations

import pytest

from crm.models import Contact
from delivery.models import Message
from delivery.operations.undelivered import try_again
from flows.document import SuccessCriterion
from flows.models import Flow
from participants.operations.lifecycle import end_flow
from participants.operations.members import remove_from_flow, take_out
from tests.participants.conftest import World, send, wait, when


def given_up(world: World, flow: Flow, *names: str) -> list[Contact]:
    """Let people get a mail that was given up, and wait."""
    people = [world.contact(name) for name in names]
    world.suggest(flow, *people)
    world.advance(flow)
    assert Message.objects.update(status="failed", reason="refused") == len(people)
    return people


def again(world: World) -> int:
    return try_again(ids=None, actor=world.user, now=world.now)


@pytest.mark.parametrize("how", ["take_out", "remove", "excluded", "end", "success"])
def test_who_left_by_any_way_is_not_tried_again(world: World, how: str) -> None:
    no_go = world.selection("No go")
    won = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk))
    settings = {"exclusions": (no_go.pk,), "move_to_finish": True}
    flow = world.flow(send(world.email()), wait(1), success=(won,), settings=settings)
    anna, bert = given_up(world, flow, "Anna", "Bert")
    one = world.one(flow, anna)
    if how == "take_out":
        take_out(flow_id=flow.pk, participant_ids=[one.pk], actor=world.user, now=world.now)
    elif how == "remove":
        remove_from_flow(flow_id=flow.pk, participant_ids=[one.pk], actor=world.user, now=world.now)
    elif how == "excluded":
        no_go.members.create(contact=anna, added_at=world.now)
        world.advance(flow, days=1)
    elif how == "success":
        Contact.objects.filter(pk=anna.pk).update(category=world.customer)
        world.advance(flow, days=1)
    else:
        end_flow(flow_id=flow.pk, actor=world.user, now=world.now)
    assert again(world) == (0 if how == "end" else 1)
    states = dict(Message.objects.values_list("contact_id", "status"))
    assert states == {anna.pk: "failed", bert.pk: "failed" if how == "end" else "queued"}


def test_who_finished_is_tried_again_until_the_participation_is_removed(world: World) -> None:
    flow = world.flow(send(world.email()))
    [anna] = given_up(world, flow, "Anna")
    assert world.one(flow, anna).status == "finished"
    assert again(world) == 1
    Message.objects.update(status="soft_bounced")
    one = world.one(flow, anna).pk
    remove_from_flow(flow_id=flow.pk, participant_ids=[one], actor=world.user, now=world.now)
    assert again(world) == 0
    assert Message.objects.get().withdrawn == "removed_by_user"


def test_what_is_queued_of_who_had_finished_is_cancelled_with_the_participation(world: World) -> None:
    flow = world.flow(send(world.email()))
    anna = world.contact("Anna")
    world.suggest(flow, anna)
    world.advance(flow)
    one = world.one(flow, anna).pk
    remove_from_flow(flow_id=flow.pk, participant_ids=[one], actor=world.user, now=world.now)
    assert world.messages() == [("anna@post.test", "cancelled")]
