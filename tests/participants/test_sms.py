"""SMS steps in the engine: their guards in order, what failing does, and the way to the phone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import Licence
from crm.models import Consent, Contact, SelectionMember, SubscriptionOptOut
from delivery.models import Message, SmsOptOut
from flows.document import MessageSettings, StepNode
from participants.models import HeldStep, Participant, Suggestion, Visit
from tests.participants.conftest import NOW, World, update, wait

MOBILE = "+4791234567"


def sms(title: str = "Text", **settings: Any) -> StepNode:
    return StepNode(
        kind="send_sms", title=title, settings={"text": "Hi {{ contact.first_name }}", **settings}
    )


def person(world: World, name: str = "Ann", mobile: str = MOBILE, **fields: Any) -> Contact:
    return world.contact(name, mobile=mobile, **fields)


def test_an_sms_is_queued_and_the_participant_goes_on(world: World) -> None:
    flow = world.flow(sms(), wait(1))
    ann = person(world)
    world.suggest(flow, ann)
    world.advance(flow)
    one = world.one(flow, ann)
    [message] = Message.objects.all()
    assert (message.channel, message.to_address, message.participant_id) == ("sms", MOBILE, one.pk)
    assert one.last_message_id == message.pk
    assert world.path(one) == [("Text", "went_on", ""), ("Wait", "", "")]
    assert Visit.objects.get(participant_id=one.pk, number=1).message_id == message.pk


@pytest.mark.parametrize(
    ("trouble", "reason", "seen"),
    [
        ("consent", "no_consent", {"consent": None, "at": None}),
        ("withdrawn", "no_consent", {"consent": "withdrawn", "at": "2026-11-23T12:00+00:00"}),
        ("optout", "unsubscribed", {}),
        ("mobile", "no_mobile", {"mobile": ""}),
        ("landline", "no_mobile", {"mobile": "22334455"}),
        ("stop", "sms_opt_out", {"number": MOBILE, "at": "2026-11-23T12:00+00:00"}),
    ],
)
def test_each_guard_skips_with_its_reason_and_what_it_saw(
    world: World, trouble: str, reason: str, seen: dict[str, Any]
) -> None:
    ann = person(
        world,
        consent={"consent": None, "withdrawn": False}.get(trouble, True),
        mobile={"mobile": "", "landline": "22334455"}.get(trouble, MOBILE),
    )
    if trouble == "optout":
        SubscriptionOptOut.objects.create(contact=ann, type=world.news, at=NOW)
        seen = {"subscription_type": world.news.pk, "at": "2026-11-23T12:00+00:00"}
    if trouble == "stop":
        SmsOptOut.objects.create(number=MOBILE, source="reply", at=NOW)
    flow = world.flow(sms(), wait(1))
    world.suggest(flow, ann)
    world.advance(flow)
    one = world.one(flow, ann)
    assert world.path(one)[0] == ("Text", "went_on", "skipped")
    assert Visit.objects.get(participant_id=one.pk, number=1).values == {"reason": reason, **seen}
    assert not Message.objects.exists()


def test_the_first_guard_in_the_specs_order_speaks(world: World) -> None:
    ann = person(world, consent=None, mobile="")
    SubscriptionOptOut.objects.create(contact=ann, type=world.news, at=NOW)
    flow = world.flow(sms(if_cannot="exit"))
    world.suggest(flow, ann)
    world.advance(flow)
    assert world.one(flow, ann).drop_reason == "no_consent"


def test_override_lifts_consent_and_subscription_but_never_a_missing_number_or_stop(world: World) -> None:
    free, stopped, without = (
        person(world, "Ann", consent=None),
        person(world, "Ben", "+4791234568", consent=None),
        person(world, "Cat", "", consent=None),
    )
    SubscriptionOptOut.objects.create(contact=free, type=world.news, at=NOW)
    SmsOptOut.objects.create(number="+4791234568", source="reply", at=NOW)
    messages = MessageSettings(subscription_type=world.news.pk, override_consent=True)
    flow = world.flow(sms(if_cannot="exit"), wait(1), settings={"messages": messages})
    world.suggest(flow, free, stopped, without)
    world.advance(flow)
    assert [world.one(flow, c).drop_reason for c in (free, stopped, without)] == [
        "",
        "sms_opt_out",
        "no_mobile",
    ]


def test_who_exits_goes_to_the_selection_and_the_next_flow(world: World) -> None:
    ann = person(world, mobile="")
    lost = world.selection("No mobile")
    other = world.flow(wait(1), name="Letters")
    flow = world.flow(sms(if_cannot="exit", exit_selection=lost.pk, exit_flow=other.pk), wait(1))
    world.suggest(flow, ann)
    world.advance(flow)
    one = world.one(flow, ann)
    assert (one.status, one.drop_reason, one.drop_values) == ("dropped", "no_mobile", {"mobile": ""})
    assert world.path(one) == [("Text", "left", "no_mobile")]
    assert SelectionMember.objects.filter(selection=lost, contact=ann).exists()
    from participants.intake import take_events

    take_events(tenant_id=world.tenant.pk, now=world.now)
    assert Suggestion.objects.get(flow_id=other.pk).contact_id == ann.pk


def test_the_same_number_twice_in_a_flow_is_allowed_for_sms(world: World) -> None:
    flow = world.flow(sms())
    world.suggest(flow, person(world, "Ann"), person(world, "Ben"))
    world.advance(flow)
    assert Message.objects.count() == 2


def test_a_number_given_by_a_step_before_counts(world: World) -> None:
    ann = person(world, mobile="")
    flow = world.flow(update("contact.mobile", "set", MOBILE), sms())
    world.suggest(flow, ann)
    world.advance(flow)
    assert [m.to_address for m in Message.objects.all()] == [MOBILE]


def test_the_guards_are_one_query_however_many(world: World, django_assert_max_num_queries: Any) -> None:
    flow = world.flow(sms(), wait(1))
    people = [person(world, f"P{n}", f"+47912{n:05}") for n in range(40)]
    world.suggest(flow, *people[:2])
    with django_assert_max_num_queries(60):
        world.advance(flow)
    world.suggest(flow, *people[2:])
    with django_assert_max_num_queries(60):
        world.advance(flow)
    assert Message.objects.count() == 40


def test_a_dropped_participants_queued_sms_is_cancelled(world: World) -> None:
    ann = person(world)
    flow = world.flow(sms(), wait(1), sms("Again", if_cannot="exit"))
    world.suggest(flow, ann)
    world.advance(flow)
    Consent.objects.filter(contact=ann).update(given=False)
    world.advance(flow, days=1)
    assert world.one(flow, ann).status == Participant.Status.DROPPED
    assert [m.status for m in Message.objects.all()] == ["cancelled"]


@pytest.mark.parametrize("kind", ["send_sms", "notify_by_sms"])
@pytest.mark.parametrize("lapse", ["ended", "taken away"])
def test_without_the_licence_nothing_is_queued_and_everyone_is_held_until_it_is_back(
    world: World, kind: str, lapse: str
) -> None:
    settings = {"text": "Hi", "to": "numbers", "numbers": ("+4791234560",)}
    node = sms() if kind == "send_sms" else StepNode(kind=kind, title="Text", settings=settings)
    flow = world.flow(node)
    ann, bo = person(world), person(world, "Bo", "+4791234568")
    licence = Licence.objects.filter(code="sms")
    if lapse == "ended":
        licence.update(expires_on=NOW.date() - dt.timedelta(days=1))
    else:
        licence.delete()
    world.suggest(flow, ann, bo)
    for _ in range(7):
        world.advance(flow, days=1)
    assert not Message.objects.exists()
    assert HeldStep.objects.get().cause == "The licence SMS connector is not in force."
    assert {world.one(flow, one).status for one in (ann, bo)} == {"active"}
    Licence.objects.update_or_create(code="sms", defaults={"expires_on": None})
    world.advance(flow, days=1)
    assert Message.objects.count() == 2
    assert not HeldStep.objects.exists()
