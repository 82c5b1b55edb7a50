"""Every guard of progression, one by one: the verdict keeps the values it saw, and the page's sentence shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Membership, Role
from core.text import norm_email
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact, Selection, SubscriptionOptOut
from delivery.models import BlockedAddress, SmsOptOut
from delivery.operations.sending_rules import set_sending_rules
from flows.document import StepNode
from flows.models import Flow
from participants.intake import take_events
from participants.models import HeldStep, Participant, Visit
from participants.queries_story import Story, StoryVisit, story_of
from tests.participants.conftest import DAY, NOW, World, send, update, wait

OSLO_NOON = "2026-11-23T13:00+01:00"
MOBILE = "+4791234567"
Arrange = Callable[[World, Contact], dict[str, Any]]


def former(world: World, anna: Contact) -> dict[str, Any]:
    Contact.objects.filter(pk=anna.pk).update(former_employee=True)
    return {"former_employee": True}


def erased(world: World, anna: Contact) -> dict[str, Any]:
    nothing = dict.fromkeys(("first_name", "last_name", "email", "email_norm", "mobile", "phone"), "")
    Contact.objects.filter(pk=anna.pk).update(deleted_at=NOW, **nothing)
    return {"deleted": True, "at": OSLO_NOON}


def excluded(world: World, anna: Contact) -> dict[str, Any]:
    rivals = Selection.objects.get(name="Rivals")
    rivals.members.create(contact=anna, added_at=NOW)
    return {"selection": rivals.pk, "at": OSLO_NOON}


def never_consented(world: World, anna: Contact) -> dict[str, Any]:
    anna.consents.all().delete()
    return {"consent": None, "at": None}


def withdrew(world: World, anna: Contact) -> dict[str, Any]:
    anna.consents.update(given=False)
    return {"consent": "withdrawn", "at": OSLO_NOON}


def unsubscribed(world: World, anna: Contact) -> dict[str, Any]:
    SubscriptionOptOut.objects.create(contact=anna, type=world.news, at=NOW)
    return {"subscription_type": world.news.pk, "at": OSLO_NOON}


def no_address(world: World, anna: Contact) -> dict[str, Any]:
    Contact.objects.filter(pk=anna.pk).update(email="", email_norm="")
    return {"email": ""}


def shared_address(world: World, anna: Contact) -> dict[str, Any]:
    ben = Contact.objects.get(first_name="Ben")
    Contact.objects.filter(pk=ben.pk).update(email=anna.email, email_norm=norm_email(anna.email))
    first = Participant.objects.get(contact_id=ben.pk)
    Participant.objects.filter(pk=first.pk).update(enrolled_at=NOW - DAY)
    return {"participant": first.pk, "email": "anna@post.test", "got": False}


def blocked(world: World, anna: Contact) -> dict[str, Any]:
    BlockedAddress.objects.create(address_norm="anna@post.test", reason="hard_bounce", at=NOW)
    return {"blocked": "hard_bounce", "email": "anna@post.test", "at": OSLO_NOON}


def no_mobile(world: World, anna: Contact) -> dict[str, Any]:
    Contact.objects.filter(pk=anna.pk).update(mobile="22334455")
    return {"mobile": "22334455"}


def stopped(world: World, anna: Contact) -> dict[str, Any]:
    SmsOptOut.objects.create(number=MOBILE, source="reply", at=NOW)
    return {"number": MOBILE, "at": OSLO_NOON}


EMAIL, SMS = "email", "sms"
# The guards in the order of the spec: channel, check, reason, what makes it fail and what it saw, sentence.
GUARDS: list[tuple[str, str, str, Arrange, str]] = [
    (EMAIL, "Former employee or erased", "former_employee", former, "Marked as former employee."),
    (EMAIL, "Former employee or erased", "contact_deleted", erased, "The contact was erased on 23 November 2026."),
    (EMAIL, "Exclusion list", "excluded", excluded, "Was on the exclusion list “Rivals” since 23 November 2026."),
    (EMAIL, "E-marketing consent", "no_consent", never_consented, "There was no record of e-marketing consent."),
    (EMAIL, "E-marketing consent", "no_consent", withdrew, "E-marketing consent was withdrawn on 23 November 2026."),
    (EMAIL, "Subscription", "unsubscribed", unsubscribed, "Unsubscribed from “News” on 23 November 2026."),
    (EMAIL, "Email address", "no_email", no_address, "Had no email address."),
    (
        EMAIL, "Address twice in the flow", "duplicate_address", shared_address,
        "“Ben” with the same email address (anna@post.test) had entered the flow earlier.",
    ),
    (
        EMAIL, "Blocked address", "address_blocked", blocked,
        "The email address anna@post.test was blocked on 23 November 2026 (hard bounce).",
    ),
    (SMS, "E-marketing consent", "no_consent", withdrew, "E-marketing consent was withdrawn on 23 November 2026."),
    (SMS, "Subscription", "unsubscribed", unsubscribed, "Unsubscribed from “News” on 23 November 2026."),
    (SMS, "Mobile number", "no_mobile", no_mobile, "“22334455” is no valid mobile number."),
    (SMS, "STOP", "sms_opt_out", stopped, "Opted out of SMS (+4791234567) on 23 November 2026."),
]  # fmt: skip


def arranged(world: World, step: StepNode, **settings: Any) -> tuple[Flow, Contact]:
    """Anna stands before the step, with Ben beside her."""
    anna, ben = world.contact("Anna", mobile=MOBILE), world.contact("Ben")
    rivals = world.selection("Rivals")
    messages = {"subscription_type": world.news.pk, **settings.pop("messages", {})}
    flow = world.flow(
        wait(1),
        step,
        wait(30, title="Rest"),
        settings={"timezone": "Europe/Oslo", "exclusions": (rivals.pk,), "messages": messages, **settings},
    )
    world.suggest(flow, anna, ben)
    world.advance(flow)
    return flow, anna


def story(world: World, flow: Flow, contact: Contact) -> Story:
    flow.refresh_from_db()
    return story_of(flow=flow, participant=world.one(flow, contact), now=world.now)


def results(visit: StoryVisit) -> dict[str, str]:
    return {check.label: check.result for check in visit.checks}


@pytest.mark.parametrize(
    ("channel", "check", "reason", "arrange", "sentence"),
    GUARDS,
    ids=[f"{g[0]} {g[3].__name__}" for g in GUARDS],
)
def test_who_drops_out_is_told_why_with_the_values_seen(
    world: World, channel: str, check: str, reason: str, arrange: Arrange, sentence: str
) -> None:
    text = StepNode(kind="send_sms", title="Text", settings={"text": "Hi", "if_cannot": "exit"})
    flow, anna = arranged(world, send(world.email()) if channel == EMAIL else text)
    seen = arrange(world, anna)

    world.advance(flow, days=1)

    person = world.one(flow, anna)
    assert (person.status, person.drop_reason, person.drop_values) == ("dropped", reason, seen)
    told = story(world, flow, anna)
    last = told.visits[-1]
    assert (told.why_left, last.detail, last.state) == (sentence, sentence, "left")
    if channel == EMAIL and check in {"Former employee or erased", "Exclusion list"}:
        assert last.title == "Wait"
    checks = results(last)
    assert checks[check] == "failed"
    before = list(checks)[: list(checks).index(check)]
    assert {checks[label] for label in before} <= {"passed"}
    assert {checks[label] for label in list(checks)[len(before) + 1 :]} <= {"not reached"}


@pytest.mark.parametrize(
    ("channel", "check", "reason", "arrange", "sentence"),
    GUARDS[3:],
    ids=[f"{g[0]} {g[3].__name__}" for g in GUARDS[3:]],
)
def test_who_is_skipped_is_told_the_same(
    world: World, channel: str, check: str, reason: str, arrange: Arrange, sentence: str
) -> None:
    text = StepNode(kind="send_sms", title="Text", settings={"text": "Hi", "if_cannot": "skip"})
    flow, anna = arranged(world, send(world.email(), if_cannot="skip") if channel == EMAIL else text)
    seen = arrange(world, anna)

    world.advance(flow, days=1)

    visit = Visit.objects.get(participant_id=world.one(flow, anna).pk, number=2)
    assert (visit.how, visit.values) == ("skipped", {"reason": reason, **seen})
    told = story(world, flow, anna).visits[1]
    assert (told.detail, told.ending) == (sentence, "Skipped, went on")
    assert results(told)[check] == "failed"


def test_the_frequency_cap_says_how_many_of_how_many_and_until_when(world: World) -> None:
    set_sending_rules(most_a_day=1, most_a_week=None, when_full="wait", actor=world.user, now=NOW)
    anna = world.contact("Anna")
    flow = world.flow(send(world.email("One"), "One"), send(world.email("Two"), "Two"))
    world.suggest(flow, anna)
    world.advance(flow)

    told = story(world, flow, anna)
    why = "frequency cap: had 1 message in 24 hours, at most 1 is allowed"
    assert told.next == f"Held on “Two”: {why}."
    assert told.participant.due_at == NOW + DAY
    assert told.visits[1].told == [
        f"Held from 23 November 2026 at 12:00 until 24 November 2026 at 12:00: {why}."
    ]
    assert (results(told.visits[1])["Frequency cap"], results(told.visits[1])["Timeframe"]) == (
        "held",
        "not reached",
    )
    visit = Visit.objects.get(participant_id=told.participant.pk, number=2)
    assert (visit.values or {})["held_cap"] == {
        "had": 1, "most": 1, "hours": 24, "reason": why,
        "at": "2026-11-23T12:00:00+00:00", "until": "2026-11-24T12:00:00+00:00",
    }  # fmt: skip

    # Who waited keeps why, also when the mail has gone.
    world.advance(flow, days=1)
    after = story(world, flow, anna).visits[1]
    assert (after.state, after.told) == ("went_on", told.visits[1].told)
    assert results(after)["Frequency cap"] == "passed"


def test_a_skip_for_the_frequency_cap_says_how_many_of_how_many(world: World) -> None:
    set_sending_rules(most_a_day=1, most_a_week=3, when_full="skip", actor=world.user, now=NOW)
    anna = world.contact("Anna")
    flow = world.flow(send(world.email("One"), "One"), send(world.email("Two"), "Two"))
    world.suggest(flow, anna)
    world.advance(flow)
    told = story(world, flow, anna).visits[1]
    assert told.detail == "Frequency cap: had 1 message in 24 hours, at most 1 is allowed."
    assert results(told)["Frequency cap"] == "failed"


def test_the_timeframe_says_which_one_and_until_when(world: World) -> None:
    tuesday = {"weekdays": (1,), "start": "08:00", "to": "17:00", "workdays_only": False}
    flow, anna = arranged(world, send(world.email()), messages={"timeframe": tuesday})
    world.advance(flow, days=1.5)
    told = story(world, flow, anna)
    assert told.next == "Held on “Send”: outside the timeframe (Tue, 08:00–17:00; Europe/Oslo)."
    [line] = told.visits[-1].told
    assert line == (
        "Held from 25 November 2026 at 01:00 until 1 December 2026 at 08:00: "
        "outside the timeframe (Tue, 08:00–17:00; Europe/Oslo)."
    )
    assert results(told.visits[-1])["Timeframe"] == "held"


def test_a_step_that_does_not_work_keeps_its_cause_once_for_each_visit(world: World) -> None:
    email = world.email()
    type(email).objects.update(current=None)
    flow, anna = arranged(world, send(email))
    world.advance(flow, days=1)
    world.advance(flow, days=1)
    assert HeldStep.objects.get().attempts == 2
    told = story(world, flow, anna)
    assert told.next.startswith("Held on “Send”: The email of “Send” has no content that can be sent.")
    [line] = told.visits[-1].told
    assert line.startswith(
        "Did not work on 24 November 2026 at 13:00, to be tried again on 24 November 2026 at 13:0"
    )
    assert line.endswith(": The email of “Send” has no content that can be sent.")


def test_a_pause_and_a_start_time_say_since_and_until_when(world: World) -> None:
    flow, anna = arranged(world, update("contact.job_title", "set", "x"))
    Flow.objects.filter(pk=flow.pk).update(status="paused", status_since=NOW)
    told = story(world, flow, anna)
    assert told.next == "Stands on “Wait” while the flow is paused; waiting clocks keep running."
    assert told.next_at == ("Paused since", NOW)
    starts = NOW + dt.timedelta(days=2)
    Flow.objects.filter(pk=flow.pk).update(status="running", starts_at=starts)
    told = story(world, flow, anna)
    assert (told.next, told.next_at) == ("Waits for the flow's start time.", ("Starts", starts))


def test_a_wait_says_until_when_from_which_date_and_what_ended_it(world: World) -> None:
    anna = world.contact("Anna", date_of_birth=dt.date(2026, 11, 27))
    until = StepNode(
        kind="wait_for_time",
        title="Birthday",
        settings={
            "mode": "field",
            "field": "contact.date_of_birth",
            "offset_days": -1,
            "at_time": "09:00:00",
        },
    )
    answer = StepNode(
        kind="wait_for_action",
        title="Answer?",
        settings={"actions": [{"kind": "outside", "name": "opened"}, {"kind": "outside", "name": "paid"}]},
    )
    flow = world.flow(until, answer, settings={"timezone": "Europe/Oslo"})
    world.suggest(flow, anna)
    world.advance(flow)
    date = "26 November 2026 at 09:00 (the date was 27 November 2026)"
    assert story(world, flow, anna).visits[0].told == [f"Waits until {date}."]
    world.advance(flow, days=3)
    told = story(world, flow, anna)
    assert [visit.told for visit in told.visits] == [
        [f"Waited until {date}."],
        ["Waits until 3 December 2026 at 13:00."],
    ]
    world.now += dt.timedelta(hours=2)
    event = NewEvent("outside", anna.pk, world.now, Origin.API, object_key="paid", data={"name": "paid"})
    record_events([event])
    take_events(tenant_id=world.tenant.pk, now=world.now)
    world.advance(flow)
    assert story(world, flow, anna).visits[1].told == ["Event “paid” on 26 November 2026 at 15:00."]


def test_a_date_that_is_past_or_missing_says_so(world: World) -> None:
    anna, ben = world.contact("Anna", date_of_birth=dt.date(2020, 2, 29)), world.contact("Ben")
    node = StepNode(kind="wait_for_time", settings={"mode": "field", "field": "contact.date_of_birth"})
    flow = world.flow(node, wait(1))
    world.suggest(flow, anna, ben)
    world.advance(flow)
    assert story(world, flow, anna).visits[0].told == [
        "29 February 2020 at 09:00 was past already (the date was 29 February 2020)."
    ]
    nothing = story(world, flow, ben).visits[0]
    assert (nothing.told, nothing.ending) == ([], "The date field was empty, went on")


def test_whom_distribute_handed_the_contact_to_is_told(world: World) -> None:
    world.user.first_name, world.user.last_name = "Bob", "Larsen"
    world.user.save()
    Membership.objects.create(tenant=world.tenant, user=world.user, role=Role.objects.create(name="All"))
    anna, ben = world.contact("Anna"), world.contact("Ben", our_contact=world.user)
    node = StepNode(kind="distribute_to_owner", title="Owner", settings={"users": [world.user.pk]})
    flow = world.flow(node)
    world.suggest(flow, anna, ben)
    world.advance(flow)
    assert story(world, flow, anna).visits[0].told == ["Handed to Bob Larsen."]
    kept = story(world, flow, ben).visits[0]
    assert (kept.told, kept.ending) == ([], "Had our contact already, went on")
