"""Triggers of the clock: a date in a field, a schedule; and what depends on today. Each strikes once, in order, never
for what was before, and catches up for a day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from core.db.cursors import raw_cursor
from core.jobs import run_slice
from core.models import Job
from crm.bulk import Change, update_fields
from crm.events import Origin
from crm.models import Contact, SelectionMember
from flows.document import FlowDocument, MessageSettings, Sender, StepNode, SuccessCriterion, Trigger
from flows.editing.frame import with_settings
from flows.models import Flow
from flows.operations import clock, drafts
from flows.operations.lifecycle import end, pause, resume
from flows.operations.save import save_draft
from participants.due import due_work
from participants.models import ClockFire, Participant, Suggestion
from participants.operations import members
from participants.operations.striking import strike
from tests.participants.conftest import DAY, NOW, World, send, wait, when

HOUR = dt.timedelta(hours=1)


def birthday(**settings: Any) -> Trigger:
    chosen = {"field": "contact.date_of_birth", "yearly": True, **settings}
    return Trigger(kind="date_in_field", settings=chosen)


def started(world: World, *triggers: Trigger, **more: Any) -> Flow:
    """Return a flow that was started now, its clock wound."""
    flow = world.flow(wait(1), triggers=triggers, **more)
    flow.refresh_from_db()
    document = FlowDocument.model_validate(flow.revisions.get(number=flow.revision).document)
    clock.wind(flow, document, now=world.now, anew=True)
    flow.started_at = world.now
    flow.save()
    return flow


def strike_now(world: World, flow: Flow) -> None:
    """Let the clock strike what is due, and do the jobs."""
    strike(tenant_id=world.tenant.pk, flow_id=flow.pk, now=world.now)
    for job in Job.objects.filter(status__in=["waiting", "running"]).order_by("id"):
        while run_slice(tenant_id=world.tenant.pk, job_id=job.pk, now=world.now):
            pass
        job.refresh_from_db()
        assert job.status == "done", job.error


def entered(flow: Flow) -> list[str]:
    people = Participant.objects.filter(flow_id=flow.pk).order_by("id").values_list("contact_id", flat=True)
    names = dict(Contact.objects.values_list("pk", "first_name"))
    return [names[pk] for pk in people]


def test_a_birthday_three_days_ahead_enters_at_nine_and_only_then(world: World) -> None:
    # It is Monday 23 November 2026, 12:00; the next strike is tomorrow at 09:00.
    world.contact("Anna", date_of_birth=dt.date(1980, 11, 27))
    world.contact("Ben", date_of_birth=dt.date(1980, 11, 26))
    world.contact("Cid", date_of_birth=dt.date(2030, 11, 27))
    world.contact("Dora")
    flow = started(world, birthday(offset_days=-3))
    assert flow.clock_at == dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
    strike_now(world, flow)
    assert entered(flow) == []

    world.now = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
    assert (world.tenant.pk, flow.pk) in due_work(world.now).clocks
    strike_now(world, flow)
    strike_now(world, flow)

    assert entered(flow) == ["Anna"]
    person = Participant.objects.get()
    assert person.event_data == {"kind": "date", "field": "contact.date_of_birth", "date": "2026-11-27"}
    flow.refresh_from_db()
    assert flow.clock_at == dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)


def test_an_outage_is_caught_up_with_for_a_day_and_not_for_longer(world: World) -> None:
    world.contact("Yesterday", date_of_birth=dt.date(1980, 11, 25))
    world.contact("Lost", date_of_birth=dt.date(1980, 11, 24))
    flow = started(world, birthday())
    world.now = dt.datetime(2026, 11, 26, 8, 30, tzinfo=dt.UTC)

    strike_now(world, flow)

    assert entered(flow) == ["Yesterday"]


def test_a_date_that_was_filled_in_after_the_moment_is_not_caught_up_with(world: World) -> None:
    late = world.contact("Late")
    new = world.contact("New", date_of_birth=dt.date(1980, 11, 24))
    Contact.objects.filter(pk=new.pk).update(created_at=NOW + DAY)
    world.contact("Known", date_of_birth=dt.date(1980, 11, 24))
    flow = started(world, birthday())
    world.now = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
    change = Change("contact.date_of_birth", "set", ("1980-11-24",))
    with raw_cursor() as cursor:
        update_fields(
            cursor,
            tenant_id=world.tenant.pk,
            contact_ids=[late.pk],
            changes=[change],
            now=world.now,
            origin=Origin.USER,
        )
    world.now += HOUR

    strike_now(world, flow)

    assert entered(flow) == ["Known"]


def test_a_date_fires_once_for_a_contact_and_again_for_another_date(world: World) -> None:
    anna = world.contact("Anna", date_of_birth=dt.date(2026, 11, 24))
    flow = started(world, birthday(yearly=False))
    for day in (24, 25):
        world.now = dt.datetime(2026, 11, day, 9, tzinfo=dt.UTC)
        strike_now(world, flow)
        world.now += HOUR
        world.advance(flow, days=0.5)
    Contact.objects.filter(pk=anna.pk).update(date_of_birth=dt.date(2026, 11, 27))
    Participant.objects.update(status="finished", ended_at=NOW, due_at=None, waiting=False)
    world.now = dt.datetime(2026, 11, 27, 9, tzinfo=dt.UTC)
    strike_now(world, flow)
    assert entered(flow) == ["Anna", "Anna"]


@pytest.mark.parametrize(("year", "day"), [(2027, 28), (2028, 29)])
def test_the_29th_of_february_is_the_28th_in_other_years(world: World, year: int, day: int) -> None:
    world.contact("Leap", date_of_birth=dt.date(1988, 2, 29))
    world.now = dt.datetime(year, 2, 27, 10, tzinfo=dt.UTC)
    flow = started(world, birthday())
    world.now = dt.datetime(year, 2, 28, 9, tzinfo=dt.UTC)
    strike_now(world, flow)
    assert entered(flow) == (["Leap"] if day == 28 else [])


def test_a_paused_flow_is_still_suggested_for_and_an_ended_one_is_not(world: World) -> None:
    world.contact("Anna", date_of_birth=dt.date(1980, 11, 24))
    paused, ended = (started(world, birthday(), name=name) for name in ("Paused", "Ended"))
    pause(flow_id=paused.pk, actor=world.user, now=world.now)
    end(flow_id=ended.pk, actor=world.user, now=world.now)
    ended.refresh_from_db()
    assert ended.clock_at is None
    world.now += DAY

    for flow in (paused, ended):
        strike_now(world, flow)

    assert (entered(paused), entered(ended)) == (["Anna"], [])


def test_a_schedule_suggests_the_members_of_that_moment_each_week(world: World) -> None:
    hot = world.selection("Hot")
    anna, ben = world.contact("Anna"), world.contact("Ben")
    SelectionMember.objects.create(selection=hot, contact=anna, added_at=NOW)
    trigger = Trigger(kind="schedule", settings={"selection": hot.pk, "every": "week", "weekday": 1})
    flow = started(world, trigger)
    assert flow.clock_at == dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
    world.now = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
    strike_now(world, flow)
    assert entered(flow) == ["Anna"]
    SelectionMember.objects.create(selection=hot, contact=ben, added_at=NOW)
    world.now += 7 * DAY
    strike_now(world, flow)
    verdicts = Suggestion.objects.order_by("id").values_list("contact_id", "verdict")
    assert list(verdicts) == [(anna.pk, "enrolled"), (anna.pk, "active"), (ben.pk, "enrolled")]


def test_a_schedule_once_strikes_once_and_a_month_without_a_31st_has_its_last_day(world: World) -> None:
    hot = world.selection("Hot")
    SelectionMember.objects.create(selection=hot, contact=world.contact("Anna"), added_at=NOW)
    once = Trigger(kind="schedule", settings={"selection": hot.pk, "moment": "2026-11-24T08:00:00"})
    flow = started(world, once)
    world.now += 3 * DAY - 20 * HOUR - 40 * HOUR
    strike_now(world, flow)
    flow.refresh_from_db()
    assert flow.clock_at in {None, dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)}
    monthly = Trigger(kind="schedule", settings={"selection": hot.pk, "every": "month", "day": 31})
    assert started(world, monthly, name="Monthly").clock_at == dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)


def test_success_and_waits_that_depend_on_today_are_judged_five_past_midnight(world: World) -> None:
    soon = when("contact.date_of_birth", "today")
    anna = world.contact("Anna", date_of_birth=dt.date(2026, 11, 24))
    success = SuccessCriterion(kind="criteria", criteria=soon)
    node = StepNode(
        kind="wait_for_action",
        title="Wait",
        settings={"criteria": soon.model_dump(mode="json"), "limited": False},
    )
    succeeding = world.flow(wait(9), name="Succeeding", success=(success,))
    waiting = world.flow(node, name="Waiting")
    for flow in (succeeding, waiting):
        flow.refresh_from_db()
        document = FlowDocument.model_validate(flow.revisions.get(number=flow.revision).document)
        clock.wind(flow, document, now=world.now, anew=True)
        flow.save()
        assert (flow.judges_daily, flow.clock_at) == (True, dt.datetime(2026, 11, 24, 0, 5, tzinfo=dt.UTC))
        world.suggest(flow, anna)
        world.advance(flow)
    assert (world.one(succeeding, anna).success_at, world.one(waiting, anna).waiting) == (None, True)

    world.now = dt.datetime(2026, 11, 24, 0, 5, tzinfo=dt.UTC)
    for flow in (succeeding, waiting):
        strike_now(world, flow)

    assert world.one(succeeding, anna).success_at == world.now
    world.advance(waiting)
    assert world.one(waiting, anna).status == "finished"


def test_a_start_winds_the_clock_and_a_save_in_a_pause_does_not_strike_what_is_past(world: World) -> None:
    flow = started(world, birthday())
    pause(flow_id=flow.pk, actor=world.user, now=world.now)
    flow.refresh_from_db()
    earlier = FlowDocument(triggers=(birthday(at_time="11:00:00"),))
    clock.wind(flow, earlier, now=world.now, anew=False)
    # Eleven o'clock of today is past: the new trigger begins tomorrow.
    assert flow.clock_at == dt.datetime(2026, 11, 24, 11, tzinfo=dt.UTC)


def test_queued_messages_wait_for_a_start_time_that_was_set_in_a_pause(world: World) -> None:
    sender = Sender(name="Acme", email="news@acme.test")
    of_mails = MessageSettings(subscription_type=world.news.pk, sender=sender)
    flow = world.flow(send(world.email()), wait(1), settings={"messages": of_mails})
    world.suggest(flow, world.contact("Anna"))
    world.advance(flow)
    assert world.messages() == [("anna@post.test", "queued")]
    pause(flow_id=flow.pk, actor=world.user, now=world.now)
    flow.refresh_from_db()
    starts = world.now + 2 * DAY
    changed = drafts.apply(
        flow_id=flow.pk,
        base_version=flow.draft_version,
        change=lambda old: with_settings(old, settings=old.settings.model_copy(update={"starts_at": starts})),
        label="Start time",
        actor=world.user,
        now=world.now,
    )
    save_draft(flow_id=flow.pk, base_version=changed.draft_version, actor=world.user, now=world.now)
    assert resume(flow_id=flow.pk, actor=world.user, now=world.now).status == "running"
    flow.refresh_from_db()
    assert (flow.stream.state, flow.clock_at) == ("held", starts)

    world.now += DAY
    strike_now(world, flow)
    flow.stream.refresh_from_db()
    assert flow.stream.state == "held"
    world.now = starts
    assert strike(tenant_id=world.tenant.pk, flow_id=flow.pk, now=world.now)
    flow.stream.refresh_from_db()
    assert flow.stream.state == "open"


def test_a_flow_that_is_paused_at_its_start_time_keeps_its_messages_and_resume_lets_them_go(
    world: World,
) -> None:
    starts = world.now + DAY
    flow = started(world, settings={"starts_at": starts})
    flow.starts_at = starts
    flow.save()
    assert flow.clock_at == starts
    pause(flow_id=flow.pk, actor=world.user, now=world.now)
    world.now = starts + HOUR
    strike_now(world, flow)
    flow.stream.refresh_from_db()
    assert flow.stream.state == "held"
    resume(flow_id=flow.pk, actor=world.user, now=world.now)
    flow.stream.refresh_from_db()
    assert flow.stream.state == "open"


def test_who_is_removed_from_a_flow_was_never_in_for_the_clock_and_for_why_not(world: World) -> None:
    anna = world.contact("Anna", date_of_birth=dt.date(1990, 11, 27))
    ben = world.contact("Ben", date_of_birth=dt.date(1990, 11, 27))
    flow = started(world, birthday(offset_days=-3))
    world.now = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
    strike_now(world, flow)
    assert entered(flow) == ["Anna", "Ben"]
    members.remove_from_flow(
        flow_id=flow.pk, participant_ids=[world.one(flow, anna).pk], actor=world.user, now=world.now
    )
    assert entered(flow) == ["Ben"]
    assert list(ClockFire.objects.values_list("contact_id", flat=True)) == [ben.pk]
    assert list(Suggestion.objects.values_list("contact_id", flat=True)) == [ben.pk]
