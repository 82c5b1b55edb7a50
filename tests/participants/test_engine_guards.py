"""The guards before a step: whom each drops out with its reason, whom it skips, whom it lets on."""

from __future__ import annotations

import pytest

from crm.models import SubscriptionOptOut
from delivery.models import BlockedAddress, Message
from participants.models import Visit
from tests.participants.conftest import NOW, World, send, wait


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (lambda w: w.contact("X", consent=None), "no_consent"),
        (lambda w: w.contact("X", consent=False), "no_consent"),
        (lambda w: w.contact("X", email=""), "no_email"),
        (lambda w: w.contact("X", former_employee=True), "former_employee"),
    ],
)
def test_a_guard_before_an_email_drops_out_with_its_reason(
    world: World, arrange: object, reason: str
) -> None:
    contact = arrange(world)  # type: ignore[operator]
    flow = world.flow(send(world.email()))
    world.suggest(flow, contact)

    world.advance(flow)

    person = world.one(flow, contact)
    assert (person.status, person.drop_reason) == ("dropped", reason)
    assert world.path(person) == [("Send", "left", reason)]
    assert world.messages() == []


def test_who_opted_out_of_the_type_or_is_blocked_drops_out(world: World) -> None:
    out, blocked = world.contact("Out"), world.contact("Blocked")
    SubscriptionOptOut.objects.create(contact=out, type=world.news, at=NOW)
    BlockedAddress.objects.create(address_norm="blocked@post.test", reason="hard_bounce", at=NOW)
    flow = world.flow(send(world.email()))
    world.suggest(flow, out, blocked)

    world.advance(flow)

    assert world.one(flow, out).drop_reason == "unsubscribed"
    assert world.one(flow, out).drop_values == {
        "subscription_type": world.news.pk,
        "at": "2026-11-23T12:00+00:00",
    }
    assert world.one(flow, blocked).drop_reason == "address_blocked"


def test_a_step_may_skip_whom_it_cannot_reach(world: World) -> None:
    contact = world.contact("Mute", consent=None)
    flow = world.flow(send(world.email(), if_cannot="skip"), wait(1))
    world.suggest(flow, contact)

    world.advance(flow)

    person = world.one(flow, contact)
    assert person.status == "active"
    assert world.path(person) == [("Send", "went_on", "skipped"), ("Wait", "", "")]
    assert Visit.objects.get(number=1).values == {"reason": "no_consent", "consent": None, "at": None}


def test_an_overridden_consent_lifts_consent_and_subscription_only(world: World) -> None:
    mute, out, nobody = (
        world.contact("Mute", consent=None),
        world.contact("Out"),
        world.contact("No", email=""),
    )
    SubscriptionOptOut.objects.create(contact=out, type=world.news, at=NOW)
    messages = {"subscription_type": world.news.pk, "override_consent": True}
    flow = world.flow(send(world.email()), settings={"messages": messages})
    world.suggest(flow, mute, out, nobody)

    world.advance(flow)

    assert world.messages() == [("mute@post.test", "queued"), ("out@post.test", "queued")]
    assert world.one(flow, nobody).drop_reason == "no_email"


def test_exactly_one_of_two_contacts_with_the_same_address_gets_the_mail(world: World) -> None:
    first = world.contact("First", email="Same@Post.test")
    second = world.contact("Second", email="same@post.test")
    flow = world.flow(send(world.email()))
    world.suggest(flow, first, second)

    world.advance(flow)

    assert world.messages() == [("Same@Post.test", "queued")]
    assert world.one(flow, second).drop_reason == "duplicate_address"
    assert world.one(flow, second).drop_values == {
        "participant": world.one(flow, first).pk,
        "email": "same@post.test",
        "got": False,
    }


def test_who_drops_out_in_the_same_batch_does_not_hold_the_address(world: World) -> None:
    first = world.contact("First", email="same@post.test", consent=None)
    second = world.contact("Second", email="same@post.test")
    flow = world.flow(send(world.email()))
    world.suggest(flow, first, second)

    world.advance(flow)

    assert [address for address, _ in world.messages()] == ["same@post.test"]
    assert Message.objects.get().contact_id == second.pk


def test_the_exclusion_list_counts_before_every_step(world: World) -> None:
    anna = world.contact("Anna")
    no_go = world.selection("No go")
    flow = world.flow(wait(1), send(world.email()), settings={"exclusions": (no_go.pk,)})
    world.suggest(flow, anna)
    world.advance(flow)
    no_go.members.create(contact=anna, added_at=NOW)

    world.advance(flow, days=1)

    person = world.one(flow, anna)
    assert (person.drop_reason, person.drop_values) == (
        "excluded",
        {"selection": no_go.pk, "at": "2026-11-23T12:00+00:00"},
    )
    assert world.path(person) == [("Wait", "left", "excluded")]
