"""Free slots: working hours, timezones, DST, holidays, away, busy. Pure; then set-based bookings in a real database."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from accounts.models import Holiday, Membership, Role, Tenant, User
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.bulk.follow_ups import FollowUpPlan, NewFollowUp, create_follow_ups
from crm.diary import FreeTime, day_after, first_moment, merged, next_quarter
from crm.events import Origin
from crm.models import AwayPeriod, Diary, Event, FollowUp, ListItem, Notification, Project
from crm.operations.follow_ups import FollowUpValues, create_follow_up
from tests.crm.conftest import NOW, make_contact, make_item
from tests.support.statements import statements

OSLO = ZoneInfo("Europe/Oslo")
HALF = dt.timedelta(minutes=30)
HOUR = dt.timedelta(hours=1)


def at(text: str, zone: ZoneInfo = OSLO) -> dt.datetime:
    """Return a moment by the clocks of a zone: at("2026-11-24 09:00")."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(dt.UTC)


def local(found: list[dt.datetime], zone: ZoneInfo = OSLO) -> list[str]:
    return [f"{one.astimezone(zone):%a %d %H:%M}" for one in found]


def take(time: FreeTime, not_before: dt.datetime, length: dt.timedelta, count: int) -> list[dt.datetime]:
    return list(islice(time.slots(not_before=not_before, length=length), count))


def test_the_first_slot_is_the_next_whole_quarter_inside_working_hours() -> None:
    time = FreeTime(zone=OSLO)
    assert local(take(time, at("2026-11-24 09:07"), HALF, 3)) == [
        "Tue 24 09:15",
        "Tue 24 09:45",
        "Tue 24 10:15",
    ]
    assert local(take(time, at("2026-11-24 06:00"), HALF, 1)) == ["Tue 24 08:00"]
    assert local(take(time, at("2026-11-24 15:31"), HALF, 1)) == ["Wed 25 08:00"], (
        "it must end in working hours"
    )
    assert local(take(time, at("2026-11-27 16:00"), HALF, 1)) == ["Mon 30 08:00"], "over the weekend"


def test_busy_time_away_and_holidays_are_left_free() -> None:
    time = FreeTime(
        zone=OSLO,
        holidays=frozenset({dt.date(2026, 11, 25)}),
        away=[(dt.date(2026, 11, 26), dt.date(2026, 11, 27))],
        busy=[
            (at("2026-11-24 08:00"), at("2026-11-24 09:10")),
            (at("2026-11-24 09:05"), at("2026-11-24 09:20")),
            (at("2026-11-24 10:00"), at("2026-11-24 15:30")),
        ],
    )
    found = take(time, at("2026-11-24 07:00"), HALF, 3)
    assert local(found) == ["Tue 24 09:30", "Tue 24 15:30", "Mon 30 08:00"]


def test_hours_keep_their_clock_time_across_dst_and_the_missing_hour_is_no_working_time() -> None:
    spring = FreeTime(zone=OSLO, hours={6: (dt.time(1), dt.time(4))})
    found = take(spring, at("2026-03-29 00:00"), HOUR, 3)
    assert local(found) == ["Sun 29 01:00", "Sun 29 03:00", "Sun 05 01:00"], "02:00 does not exist"
    autumn = FreeTime(zone=OSLO, hours={6: (dt.time(1), dt.time(4))})
    found = take(autumn, at("2026-10-25 00:00"), HOUR, 4)
    assert [one.isoformat()[11:16] for one in found] == ["23:00", "00:00", "01:00", "02:00"], (
        "four hours long"
    )
    week = FreeTime(zone=OSLO)
    before, after = take(week, at("2026-10-23 15:00"), HOUR, 2)
    assert (before.hour, after.hour) == (13, 7), "15:00 summer time, 08:00 winter time"


def test_a_slot_is_looked_for_in_the_assignees_own_zone() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    time = FreeTime(zone=tokyo)
    assert take(time, at("2026-11-24 12:00"), HALF, 1) == [dt.datetime(2026, 11, 24, 23, 0, tzinfo=dt.UTC)]
    assert local(take(time, at("2026-11-24 12:00"), HALF, 1), tokyo) == ["Wed 25 08:00"]


def test_there_is_no_slot_for_who_never_works_or_for_a_meeting_longer_than_the_day() -> None:
    assert take(FreeTime(zone=OSLO, hours={}), NOW, HALF, 1) == []
    assert take(FreeTime(zone=OSLO), NOW, dt.timedelta(hours=9), 1) == []
    assert len(take(FreeTime(zone=OSLO), at("2026-11-24 00:00"), dt.timedelta(hours=8), 3)) == 3


def test_days_weeks_and_workdays_are_counted_from_today() -> None:
    friday, holidays = dt.date(2026, 11, 27), frozenset({dt.date(2026, 11, 30)})
    assert day_after(friday, 0, "days", holidays) == friday
    assert day_after(friday, 2, "days", holidays) == dt.date(2026, 11, 29)
    assert day_after(friday, 2, "weeks", holidays) == dt.date(2026, 12, 11)
    assert day_after(friday, 1, "workdays", holidays) == dt.date(2026, 12, 1), "Monday is a holiday"
    assert first_moment(at("2026-11-27 13:00"), 3, "days", OSLO, holidays) == at("2026-11-30 00:00")
    assert first_moment(at("2026-11-27 13:00"), 3, "hours", OSLO, holidays) == at("2026-11-27 16:00")
    assert first_moment(at("2026-11-27 13:00"), 0, "days", OSLO, holidays) == at("2026-11-27 13:00")


def test_spans_that_touch_are_one_and_quarters_are_whole() -> None:
    a, b, c = (NOW + number * HOUR for number in range(3))
    assert merged([(b, c), (a, b)]) == [(a, c)]
    assert next_quarter(NOW) == NOW
    assert next_quarter(NOW + dt.timedelta(seconds=1)) == NOW + dt.timedelta(minutes=15)


# --- set-based ----------------------------------------------------------------------------------------------------


def plan(kind: str = "meeting", **more: Any) -> FollowUpPlan:
    return FollowUpPlan(kind=kind, title="Call back", zone=OSLO, **more)  # type: ignore[arg-type]


def book(tenant: Tenant, given: FollowUpPlan, *rows: NewFollowUp, **more: Any) -> list[int | None]:
    with raw_cursor() as cursor:
        return create_follow_ups(
            cursor,
            tenant_id=tenant.pk,
            plan=given,
            rows=rows,
            now=more.pop("now", NOW),
            origin=Origin.FLOW,
            flow_id=7,
            **more,
        )


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_user(email="ben@demo.test", first_name="Ben", last_name="Ek")


def test_meetings_of_one_batch_follow_each_other_in_each_assignees_diary(
    bare: Tenant, anna: User, ben: User
) -> None:
    Tenant.objects.filter(pk=bare.pk).update(timezone="Europe/Oslo")
    Holiday.objects.create(day=dt.date(2026, 11, 25), name="Rest")
    Diary.objects.create(user=ben, timezone="America/New_York", hours={"1": ["09:00", "10:00"]})
    AwayPeriod.objects.create(user=anna, first_day=dt.date(2026, 11, 24), last_day=dt.date(2026, 11, 24))
    FollowUp.objects.create(
        kind="meeting",
        title="Lunch",
        assignee=anna,
        starts_at=at("2026-11-23 13:15"),
        ends_at=at("2026-11-23 15:40"),
        created_at=NOW,
        updated_at=NOW,
    )
    people = [make_contact(first_name=f"P{number}") for number in range(5)]
    rows = [
        NewFollowUp(person.pk, None, user.pk, 100 + number)
        for number, (person, user) in enumerate(zip(people, (anna, anna, ben, ben, ben), strict=True))
    ]
    ids = book(bare, plan(), *rows)
    made = {one.pk: one for one in FollowUp.objects.filter(title="Call back")}
    starts = [made[number or 0].starts_at for number in ids]
    # NOW is Monday 13:00 in Oslo: too little before lunch and after; away on Tuesday, a holiday on Wednesday.
    assert local([one for one in starts[:2] if one]) == ["Thu 26 08:00", "Thu 26 08:30"]
    new_york = ZoneInfo("America/New_York")
    assert local([one for one in starts[2:] if one], new_york) == [
        "Tue 24 09:00",
        "Tue 24 09:30",
        "Tue 01 09:00",
    ]
    assert [made[number or 0].participant_id for number in ids] == [100, 101, 102, 103, 104]
    assert [made[number or 0].contact_id for number in ids] == [person.pk for person in people]


def test_a_follow_up_leaves_an_event_and_a_notification(bare: Tenant, anna: User) -> None:
    call = make_item("follow_up_type", "Call")
    fair = Project.objects.create(name="Fair", created_at=NOW)
    ann = make_contact(first_name="Ann 🎉", last_name="Berg")
    given = plan(type_id=call.pk, project_id=fair.pk, agenda="Ask about {{ everything }}")
    (number,) = book(bare, given, NewFollowUp(ann.pk, None, anna.pk, 5))
    made = FollowUp.objects.get(pk=number or 0)
    assert (made.type, made.project, made.flow_id, made.status) == (call, fair, 7, "open")
    assert made.agenda == "Ask about {{ everything }}"
    event = Event.objects.get(kind="follow_up.created")
    assert (event.object_id, event.origin, event.flow_id, event.participant_id) == (number, "flow", 7, 5)
    assert event.data == {
        "follow_up": {
            "id": number,
            "title": "Call back",
            "type": "Call",
            "type_id": call.pk,
            "starts_at": "2026-11-23T12:00:00+00:00",
            "ends_at": "2026-11-23T12:30:00+00:00",
            "assignee_id": anna.pk,
        }
    }
    line = Notification.objects.get()
    assert (line.user_id, line.path, line.contact_id) == (anna.pk, f"diary/{number}/", ann.pk)
    assert line.text == "Call back with Ann 🎉 Berg, Mon 23 Nov 2026, 12:00"


def test_tasks_are_due_on_their_day_and_many_are_told_in_one_line(bare: Tenant, anna: User) -> None:
    people = [make_contact(first_name=f"P{number}") for number in range(5)]
    rows = [NewFollowUp(person.pk, None, anna.pk) for person in people]
    book(bare, plan("task", after=2, unit="workdays"), *rows)
    assert set(FollowUp.objects.values_list("day", flat=True)) == {dt.date(2026, 11, 25)}
    assert list(Notification.objects.values_list("text", "path")) == [
        ("5 new follow-ups for you: Call back", "diary/")
    ]


def test_who_has_no_free_slot_gets_none_and_the_others_keep_their_order(
    bare: Tenant, anna: User, ben: User
) -> None:
    Diary.objects.create(user=ben, hours={})
    people = [make_contact(first_name=f"P{number}") for number in range(3)]
    rows = [
        NewFollowUp(person.pk, None, user.pk) for person, user in zip(people, (anna, ben, anna), strict=True)
    ]
    ids = book(bare, plan(), *rows)
    assert ids[1] is None
    found = dict(FollowUp.objects.values_list("pk", "contact_id"))
    assert [found[number] for number in ids if number] == [people[0].pk, people[2].pk]
    assert Event.objects.count() == 2


def test_type_and_project_of_another_tenant_or_deleted_are_left_out(bare: Tenant, anna: User) -> None:
    ann = make_contact(first_name="Ann")
    (number,) = book(bare, plan("task", type_id=10**9, project_id=10**9), NewFollowUp(ann.pk, None, anna.pk))
    made = FollowUp.objects.get(pk=number or 0)
    assert (made.type_id, made.project_id) == (None, None)
    assert ListItem.objects.filter(pk=10**9).exists() is False


@pytest.mark.parametrize("kind", ["task", "meeting"])
def test_the_number_of_statements_does_not_grow_with_the_batch(
    bare: Tenant, anna: User, ben: User, kind: str
) -> None:
    people = [make_contact(first_name=f"P{number}") for number in range(40)]
    rows = [NewFollowUp(person.pk, None, (anna, ben)[number % 2].pk) for number, person in enumerate(people)]
    with statements() as few:
        book(bare, plan(kind), *rows[:2])
    with statements() as many:
        book(bare, plan(kind), *rows)
    assert len(few) == len(many) <= 8


@pytest.mark.django_db(transaction=True)
def test_two_batches_at_once_never_book_one_hour_twice() -> None:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    anna = User.objects.create_user(email="anna@acme.test")
    with tenant_scope(tenant.pk):
        role = Role.objects.create(name="Rep")
        Membership.objects.create(user=anna, role=role)
        people = [make_contact(first_name=f"P{number}").pk for number in range(20)]
    ready = threading.Barrier(2)

    def batch(ids: list[int]) -> None:
        try:
            with tenant_scope(tenant.pk):
                ready.wait(10)
                book(tenant, plan(), *[NewFollowUp(one, None, anna.pk) for one in ids])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(batch, (people[:10], people[10:])))
    with tenant_scope(tenant.pk):
        starts = list(FollowUp.objects.order_by("starts_at").values_list("starts_at", flat=True))
        assert len(starts) == len(set(starts)) == 20
        assert Diary.objects.filter(user=anna).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_batch_waits_for_a_booking_by_hand_that_is_under_way() -> None:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    anna = User.objects.create_user(email="anna@acme.test")
    with tenant_scope(tenant.pk):
        Membership.objects.create(user=anna, role=Role.objects.create(name="Rep"))
        ann = make_contact(first_name="Ann")
    booked: list[int | None] = []

    def batch() -> None:
        try:
            with tenant_scope(tenant.pk):
                booked.extend(book(tenant, plan(), NewFollowUp(ann.pk, None, anna.pk)))
        finally:
            connection.close()

    with tenant_scope(tenant.pk):
        values = FollowUpValues(
            kind="meeting", title="By hand", assignee_id=anna.pk, starts_at=NOW, ends_at=NOW + HOUR
        )
        create_follow_up(values=values, contact_id=None, now=NOW, actor=anna)
        thread = threading.Thread(target=batch)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive(), "it waits for the diary"
    thread.join(30)
    with tenant_scope(tenant.pk):
        assert FollowUp.objects.get(pk=booked[0] or 0).starts_at == NOW + HOUR
