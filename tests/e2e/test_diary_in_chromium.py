"""Diary, follow-up, hours and notifications in a real browser: accessible, fitting, in both themes and sizes."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from accounts.queries import tenant_now
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from crm.models import AwayPeriod, FollowUp, Selection
from crm.operations.follow_ups import FollowUpValues, create_follow_up
from crm.operations.selections import Rule, create_selection
from tests.crm.conftest import make_company, make_contact
from tests.fixtures.people import Person
from tests.support.axe import accessibility_faults

SignIn = Callable[[Person], None]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ids(alice: Person, bob: Person) -> dict[str, int]:
    """A diary with a bit of everything; ids by name."""
    with tenant_scope(alice.tenant.pk):
        now = tenant_now(alice.tenant.pk)
        # Around midnight the tenant's day is not that of UTC.
        today = now.astimezone(ZoneInfo(alice.tenant.timezone)).date()
        ann = make_contact(first_name="Ann", last_name="Berg", company=make_company("Ek AS"))
        common: dict[str, Any] = {"contact_id": ann.pk, "now": now, "actor": bob.user}
        for title, days in (("Send the offer", -2), ("Call about the fair", 0), ("Ask for a reference", 3)):
            day = today + dt.timedelta(days=days)
            values = FollowUpValues(kind="task", title=title, assignee_id=alice.user.pk, day=day)
            create_follow_up(values=values, **common)
        starts = now.replace(minute=0, second=0, microsecond=0) + HOUR
        values = FollowUpValues(
            kind="meeting", title="Demo", assignee_id=alice.user.pk, starts_at=starts, ends_at=starts + HOUR
        )
        made = create_follow_up(values=values, **common)
        AwayPeriod.objects.create(
            user=alice.user, first_day=today, last_day=today + dt.timedelta(days=1), note="Skiing"
        )
        return {"contact": ann.pk, "follow_up": made.pk}


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 860), (390, 844)], ids=["laptop", "phone"])
def test_the_pages_are_accessible_and_fit(
    page: Page,
    live_server: Any,
    alice: Person,
    ids: dict[str, int],
    sign_in: SignIn,
    theme: Callable[[str], None],
    name: str,
    size: tuple[int, int],
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    theme(name)
    sign_in(alice)
    paths = ["diary/", "diary/hours/", "diary/new/", "notifications/", "settings/working-hours/"]
    paths += [f"diary/{ids['follow_up']}/", f"contacts/{ids['contact']}/follow-ups/"]
    for path in paths:
        page.goto(live_server.url + alice.url(path))
        if os.environ.get("SHOTS"):
            page.screenshot(
                path=f"{os.environ['SHOTS']}/{path.replace('/', '_')}{name}{size[0]}.png", full_page=True
            )
        assert accessibility_faults(page) == [], path
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert too_wide <= 0, f"{path} is {too_wide} px too wide"


@pytest.mark.parametrize("name", ["light", "dark"])
def test_selections_of_every_kind_are_accessible_and_fit(
    page: Page,
    live_server: Any,
    alice: Person,
    ids: dict[str, int],
    sign_in: SignIn,
    theme: Callable[[str], None],
    name: str,
) -> None:
    with tenant_scope(alice.tenant.pk):
        now = tenant_now(alice.tenant.pk)
        line = Line(field="contact.first_name", operator="is", values=("Ann",))
        common: dict[str, Any] = {"description": "", "actor": alice.user, "now": now}
        anns = create_selection(name="Anns", rule=Rule(Criteria(groups=(Group(lines=(line,)),))), **common)
        other = Selection.objects.create(name="Invited", created_at=now)
        rule = Rule(left_id=anns.pk, right_id=other.pk, combine="only_a")
        both = create_selection(name="Anns not invited", rule=rule, **common)
    page.set_viewport_size({"width": 390 if name == "dark" else 1280, "height": 844})
    theme(name)
    sign_in(alice)
    paths = ["", "new-dynamic/", "new-combined/", f"{anns.pk}/", f"{both.pk}/", f"{anns.pk}/rule/"]
    for path in paths:
        page.goto(live_server.url + alice.url(f"selections/{path}"))
        if os.environ.get("SHOTS"):
            where = f"{os.environ['SHOTS']}/selections_{path.replace('/', '_')}{name}.png"
            page.screenshot(path=where, full_page=True)
        assert accessibility_faults(page) == [], path
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert too_wide <= 0, f"{path} is {too_wide} px too wide"


def test_a_task_is_marked_as_done_in_the_diary_and_a_meeting_shows_its_times(
    page: Page, live_server: Any, alice: Person, ids: dict[str, int], sign_in: SignIn
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url("diary/"))
    page.get_by_role("button", name="Mark Call about the fair as done").click()
    expect(page.get_by_role("button", name="Open Call about the fair again")).to_be_visible()
    page.get_by_role("link", name="New follow-up").click()
    expect(page.get_by_label("Starts")).to_be_hidden()
    page.get_by_label("Meeting").check()
    expect(page.get_by_label("Starts")).to_be_visible()
    page.get_by_label("Title").fill("Lunch")
    page.get_by_role("button", name="Create follow-up").click()
    expect(page.get_by_text("Meeting created.")).to_be_visible()
    with tenant_scope(alice.tenant.pk):
        assert FollowUp.objects.get(title="Lunch").kind == "meeting"
