"""Follow-ups, diaries, days away and notifications: their pages, rights, events, and other tenants' ids."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.tenancy import tenant_scope
from crm.models import AwayPeriod, Contact, Diary, Event, FollowUp, ListItem, Notification, Project
from crm.operations.follow_ups import (
    FollowUpValues,
    NotAMember,
    change_follow_up,
    complete_follow_up,
    create_follow_up,
    delete_follow_up,
    move_follow_up,
    reopen_follow_up,
)
from tests.crm.conftest import NOW, make_company, make_contact
from tests.fixtures.people import Person

HOUR = dt.timedelta(hours=1)
DAY = dt.date(2030, 5, 6)


@pytest.fixture
def ann(alice: Person) -> Contact:
    """A contact of Acme, at a company."""
    with tenant_scope(alice.tenant.pk):
        return make_contact(first_name="Ann", last_name="Berg", company=make_company("Ek AS"))


def task(person: Person, title: str = "Call 🎉", **more: Any) -> FollowUpValues:
    return FollowUpValues(kind="task", title=title, assignee_id=person.user.pk, day=DAY, **more)


def posted(person: Person, **more: Any) -> dict[str, Any]:
    return {"kind": "task", "title": "Call", "day": "2030-05-06", "assignee": person.user.pk, **more}


# --- operations ---------------------------------------------------------------------------------------------------


def test_creating_and_completing_leave_events_with_their_origin_once(alice: Person, ann: Contact) -> None:
    with tenant_scope(alice.tenant.pk):
        made = create_follow_up(values=task(alice), contact_id=ann.pk, now=NOW, actor=alice.user)
        for _ in range(2):
            complete_follow_up(follow_up_id=made.pk, now=NOW + HOUR, actor=alice.user)
        made.refresh_from_db()
        assert (made.status, made.done_at, made.company_id) == ("done", NOW + HOUR, ann.company_id)
        events = Event.objects.order_by("id")
        assert [(e.kind, e.origin, e.object_id, e.company_id, e.actor_id) for e in events] == [
            ("follow_up.created", "user", made.pk, ann.company_id, alice.user.pk),
            ("follow_up.completed", "user", made.pk, ann.company_id, alice.user.pk),
        ]
        assert events[0].data["follow_up"] == {
            "id": made.pk,
            "title": "Call 🎉",
            "type": "",
            "type_id": None,
            "starts_at": "2030-05-06",
            "ends_at": None,
            "assignee_id": alice.user.pk,
        }


def test_changing_moving_reopening_and_deleting_leave_one_event_each(alice: Person, ann: Contact) -> None:
    with tenant_scope(alice.tenant.pk):
        made = create_follow_up(values=task(alice), contact_id=ann.pk, now=NOW, actor=alice.user)
        common: dict[str, Any] = {"follow_up_id": made.pk, "now": NOW, "actor": alice.user}
        change_follow_up(values=task(alice), **common)  # nothing changed
        change_follow_up(values=task(alice, title="Ring"), **common)
        move_follow_up(days=1, **common)
        reopen_follow_up(**common)  # open already
        complete_follow_up(**common)
        for _ in range(2):
            reopen_follow_up(**common)
        delete_follow_up(**common)
        events = Event.objects.order_by("id")
        assert [(event.kind.removeprefix("follow_up."), event.data["follow_up"]["title"]) for event in events] == [
            ("created", "Call 🎉"), ("updated", "Ring"), ("updated", "Ring"), ("completed", "Ring"),
            ("reopened", "Ring"), ("deleted", "Ring"),
        ]  # fmt: skip


def test_a_colleague_is_notified_of_what_others_give_move_and_hand_over(
    alice: Person, rory: Person, ann: Contact
) -> None:
    with tenant_scope(alice.tenant.pk):
        made = create_follow_up(values=task(rory), contact_id=ann.pk, now=NOW, actor=alice.user)
        move_follow_up(follow_up_id=made.pk, days=1, now=NOW, actor=alice.user)
        move_follow_up(follow_up_id=made.pk, days=1, now=NOW, actor=rory.user)
        change_follow_up(follow_up_id=made.pk, values=task(alice), now=NOW, actor=rory.user)
        assert list(Notification.objects.order_by("id").values_list("user_id", "text")) == [
            (rory.user.pk, "Call 🎉 with Ann Berg, Mon 6 May 2030"),
            (rory.user.pk, "Moved: Call 🎉 with Ann Berg, Tue 7 May 2030"),
            (alice.user.pk, "Handed over to you: Call 🎉 with Ann Berg, Mon 6 May 2030"),
        ]


def test_a_meeting_that_moves_keeps_its_clock_time_over_dst(alice: Person) -> None:
    starts = dt.datetime(2026, 10, 24, 7, 0, tzinfo=dt.UTC)  # 09:00 in Oslo, summer time
    values = FollowUpValues(
        kind="meeting", title="M", assignee_id=alice.user.pk, starts_at=starts, ends_at=starts + HOUR
    )
    with tenant_scope(alice.tenant.pk):
        made = create_follow_up(values=values, contact_id=None, now=NOW, actor=alice.user)
        moved = move_follow_up(follow_up_id=made.pk, days=7, now=NOW, actor=alice.user)
        assert moved.starts_at == dt.datetime(2026, 10, 31, 8, 0, tzinfo=dt.UTC)
        assert moved.ends_at == dt.datetime(2026, 10, 31, 9, 0, tzinfo=dt.UTC)
        assert not Event.objects.exists(), "no contact, no event"


def test_ids_of_other_tenants_lists_and_strangers_are_refused_or_left_out(
    alice: Person, charlie: Person, ann: Contact
) -> None:
    with tenant_scope(charlie.tenant.pk):
        foreign = Project.objects.create(name="Theirs", created_at=NOW)
    with tenant_scope(alice.tenant.pk):
        category = ListItem.objects.filter(list="category").earliest("pk")
        values = task(alice, project_id=foreign.pk, type_id=category.pk)
        made = create_follow_up(values=values, contact_id=ann.pk, now=NOW, actor=alice.user)
        assert (made.project_id, made.type_id) == (None, None)
        with pytest.raises(NotAMember):
            create_follow_up(values=task(charlie), contact_id=ann.pk, now=NOW, actor=alice.user)
    with tenant_scope(charlie.tenant.pk), pytest.raises(Contact.DoesNotExist):
        create_follow_up(values=task(charlie), contact_id=ann.pk, now=NOW, actor=charlie.user)


# --- pages --------------------------------------------------------------------------------------------------------


def test_a_follow_up_is_made_changed_done_and_deleted_on_its_pages(alice: Person, ann: Contact) -> None:
    client = alice.client()
    new = alice.url(f"diary/new/?contact={ann.pk}&back=contact")
    assert "Ann Berg" in client.get(new).content.decode()
    data = posted(alice, kind="meeting", start="09:00", minutes="45", agenda="<script>")
    answer = client.post(new, data)
    assert answer["Location"] == alice.url(f"contacts/{ann.pk}/follow-ups/")
    with tenant_scope(alice.tenant.pk):
        made = FollowUp.objects.get()
        assert made.starts_at == dt.datetime(2030, 5, 6, 7, 0, tzinfo=dt.UTC), "09:00 in Oslo"
        assert made.ends_at == dt.datetime(2030, 5, 6, 7, 45, tzinfo=dt.UTC)
    page = alice.url(f"diary/{made.pk}/")
    shown = client.get(page).content.decode()
    assert "&lt;script&gt;" in shown
    assert 'value="09:00"' in shown
    assert client.post(page, posted(alice, title="Call again")).status_code == 302
    client.post(f"{page}do/", {"do": "complete"})
    with tenant_scope(alice.tenant.pk):
        made.refresh_from_db()
        assert (made.kind, made.title, made.day, made.status) == ("task", "Call again", DAY, "done")
    client.post(f"{page}do/", {"do": "reopen"})
    assert client.post(f"{page}do/", {"do": "explode"}).status_code == 404
    assert client.post(f"{page}delete/").status_code == 302
    with tenant_scope(alice.tenant.pk):
        assert not FollowUp.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"title": ""}, "This field is required"),
        ({"kind": "meeting"}, "When does it start?"),
        ({"kind": "meeting", "start": "09:00", "minutes": "2"}, "greater than or equal to 5"),
        ({"assignee": "999999"}, "Select a valid choice"),
        ({"day": "31 February"}, "Enter a valid date"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(alice: Person, wrong: dict[str, Any], words: str) -> None:
    answer = alice.client().post(alice.url("diary/new/"), posted(alice, **wrong))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with tenant_scope(alice.tenant.pk):
        assert not FollowUp.objects.exists()


def test_my_diary_shows_overdue_today_and_days_off(alice: Person, ann: Contact) -> None:
    from accounts.queries import tenant_now

    with tenant_scope(alice.tenant.pk):
        today = tenant_now(alice.tenant.pk).date()
        for title, days in (("Late", -3), ("Soon", 2), ("Far", 40)):
            values = FollowUpValues(
                kind="task", title=title, assignee_id=alice.user.pk, day=today + dt.timedelta(days=days)
            )
            create_follow_up(values=values, contact_id=ann.pk, now=NOW, actor=alice.user)
        # A week has a working day in it, on whatever day the test runs.
        week = today + dt.timedelta(days=6)
        AwayPeriod.objects.create(user=alice.user, first_day=today, last_day=week)
    client = alice.client()
    shown = client.get(alice.url("diary/")).content.decode()
    assert "Overdue" in shown
    assert "Late" in shown
    assert "Soon" in shown
    assert "Far" not in shown
    assert "Away" in shown
    for odd in ("?from=9999-12-31", "?from=x&span=x", "?from=2030-02-30"):
        assert client.get(alice.url(f"diary/{odd}")).status_code == 200
    assert client.get(alice.url("diary/?user=99999999999999999999")).status_code == 404


def test_a_rep_sees_all_diaries_but_changes_only_the_own(alice: Person, rory: Person, ann: Contact) -> None:
    with tenant_scope(alice.tenant.pk):
        hers = create_follow_up(values=task(alice), contact_id=ann.pk, now=NOW, actor=alice.user)
        his = create_follow_up(values=task(rory), contact_id=ann.pk, now=NOW, actor=rory.user)
    client = rory.client()
    assert client.get(rory.url(f"diary/?user={alice.user.pk}")).status_code == 200
    assert client.get(rory.url(f"diary/{hers.pk}/")).status_code == 200
    assert client.post(rory.url(f"diary/{hers.pk}/do/"), {"do": "complete"}).status_code == 404
    assert client.post(rory.url(f"diary/{hers.pk}/"), posted(rory)).status_code == 404
    assert client.post(rory.url(f"diary/{his.pk}/do/"), {"do": "complete"}).status_code == 302
    assert client.post(rory.url(f"diary/{his.pk}/delete/")).status_code == 404, "reps delete nothing"
    with tenant_scope(alice.tenant.pk):
        assert FollowUp.objects.get(pk=hers.pk).status == "open"
        assert FollowUp.objects.get(pk=his.pk).status == "done"


def test_hours_and_days_away_are_saved_and_checked(alice: Person) -> None:
    client = alice.client()
    page = alice.url("diary/hours/")
    assert client.get(page).status_code == 200
    answer = client.post(
        page, {"timezone": "Asia/Tokyo", "from_0": "09:00", "to_0": "08:00", "from_1": "09:00"}
    )
    assert answer.status_code == 422
    assert "Monday: the end is not after the beginning." in answer.content.decode()
    assert "Tuesday: give both times, or neither." in answer.content.decode()
    client.post(page, {"timezone": "Asia/Tokyo", "from_0": "09:00", "to_0": "12:30"})
    with tenant_scope(alice.tenant.pk):
        kept = Diary.objects.get(user=alice.user)
        assert (kept.timezone, kept.hours) == ("Asia/Tokyo", {"0": ["09:00", "12:30"]})
    client.post(page, {"timezone": "", "use_default": "on", "from_0": "09:00", "to_0": "12:30"})
    client.post(alice.url("settings/working-hours/"), {"timezone": "", "from_4": "10:00", "to_4": "11:00"})
    with tenant_scope(alice.tenant.pk):
        assert Diary.objects.get(user=alice.user).hours is None
        assert Diary.objects.get(user=None).hours == {"4": ["10:00", "11:00"]}
    away = alice.url("diary/away/")
    assert client.post(away, {"first_day": "2030-01-02", "last_day": "2030-01-01"}).status_code == 422
    client.post(away, {"first_day": "2030-01-02", "last_day": "2030-01-04", "note": "Skiing"})
    assert "Skiing" in client.get(page).content.decode()
    with tenant_scope(alice.tenant.pk):
        number = AwayPeriod.objects.get().pk
    assert client.post(alice.url(f"diary/away/{number}/delete/")).status_code == 302
    with tenant_scope(alice.tenant.pk):
        assert not AwayPeriod.objects.exists()


def test_nobody_takes_back_a_colleagues_days_away(alice: Person, rory: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        kept = AwayPeriod.objects.create(user=rory.user, first_day=DAY, last_day=DAY)
    assert alice.client().post(alice.url(f"diary/away/{kept.pk}/delete/")).status_code == 404


def test_the_bell_counts_and_a_notification_opens_its_page_once(
    alice: Person, rory: Person, ann: Contact
) -> None:
    with tenant_scope(alice.tenant.pk):
        made = create_follow_up(values=task(rory), contact_id=ann.pk, now=NOW, actor=alice.user)
        line = Notification.objects.get()
    client = rory.client()
    assert '<span class="rail-count">1<' in client.get(rory.url()).content.decode()
    assert alice.client().post(alice.url(f"notifications/{line.pk}/")).status_code == 404, "not hers"
    answer = client.post(rory.url(f"notifications/{line.pk}/"))
    assert answer["Location"] == rory.url(f"diary/{made.pk}/")
    assert client.get(answer["Location"]).status_code == 200
    assert "rail-count" not in client.get(rory.url()).content.decode()
    assert "Call 🎉 with Ann Berg" in client.get(rory.url("notifications/")).content.decode()
    client.post(rory.url("notifications/read/"))


def test_queries_of_the_diary_stay_the_same_however_much_is_in_it(alice: Person, ann: Contact) -> None:
    from accounts.queries import tenant_now

    client = alice.client()
    urls = [alice.url("diary/"), alice.url(f"contacts/{ann.pk}/follow-ups/"), alice.url("notifications/")]

    def counts() -> list[int]:
        found = []
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(url).status_code == 200
            found.append(len(captured))
        return found

    def fill(count: int) -> None:
        with tenant_scope(alice.tenant.pk):
            today = tenant_now(alice.tenant.pk).date()
            for number in range(count):
                values = FollowUpValues(kind="task", title=f"T{number}", assignee_id=alice.user.pk, day=today)
                create_follow_up(values=values, contact_id=ann.pk, now=NOW, actor=alice.user)
                Notification.objects.create(user_id=alice.user.pk, kind="x", text="x", at=NOW)

    fill(1)
    few = counts()
    fill(15)
    assert counts() == few


def test_a_type_that_follow_ups_have_is_not_deleted(alice: Person, ann: Contact) -> None:
    with tenant_scope(alice.tenant.pk):
        call = ListItem.objects.get(list="follow_up_type", name="Call")
        create_follow_up(values=task(alice, type_id=call.pk), contact_id=ann.pk, now=NOW, actor=alice.user)
    client = alice.client()
    page = alice.url("settings/lists/follow_up_type/")
    assert "Call" in client.get(page).content.decode()
    client.post(f"{page}{call.pk}/", {"do": "delete"})
    with tenant_scope(alice.tenant.pk):
        assert ListItem.objects.filter(pk=call.pk).exists()
