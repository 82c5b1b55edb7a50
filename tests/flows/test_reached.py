"""How long after entering a step is reached: waits added up, along splits, for actions, dates and workdays."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from core.tenancy import tenant_scope
from flows.document import Branch, ExitSettings, FlowDocument, StepNode
from flows.lasting import Lasting, span
from flows.models import Flow
from flows.operations import drafts
from flows.operations.save import save_draft
from flows.reached import reached
from flows.waiting import nth_workday
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import split, step


def wait(amount: int | None, unit: str = "days", **more: Any) -> StepNode:
    return step("wait_for_time", amount=amount, unit=unit, **more)


def hints(*steps: StepNode) -> list[str]:
    """Return what stands on each card, in order, and at the finish."""
    document = FlowDocument(steps=steps)
    found = reached(document)
    return [
        *(found.words(node.id) for node in document.walk()),
        found.finish.words if found.finish else "nobody",
    ]


def test_waits_add_up_to_the_day_and_the_hour() -> None:
    assert hints(step("send_email"), wait(2), step("send_email"), wait(1, "weeks"), step("send_sms")) == [
        *("", "", "Day 2", "Day 2", "Day 9", "Day 9"),
    ]
    assert hints(wait(90, "minutes"), wait(20, "minutes"), wait(47, "hours"), step("send_email")) == [
        *("", "1 h 30 min", "1 h 50 min", "Day 2 + 50 min", "Day 2 + 50 min"),
    ]
    assert hints(wait(20, "minutes"), step("webhook")) == ["", "20 min", "20 min"]


def test_after_a_split_it_is_a_range_of_the_branches_that_go_on() -> None:
    fork = split(
        Branch(name="Quick", steps=(wait(2),)),
        Branch(name="Slow", steps=(wait(5), step("send_email"))),
        otherwise=Branch(name="Everyone else", steps=(wait(90),), exit=ExitSettings()),
    )
    assert hints(wait(1), fork, step("send_email")) == [
        *("", "Day 1", "Day 1", "Day 1", "Day 6", "Day 1"),
        *("Day 3–6", "Day 3–6"),
    ]
    level = split(Branch(name="A", steps=(wait(3),)), otherwise=Branch(name="Else", steps=(wait(3),)))
    assert hints(level, step("send_email"))[-2:] == ["Day 3", "Day 3"]
    assert hints(split(Branch(name="A", steps=(wait(3),))), step("send_email"))[-1] == "Up to day 3"


def test_nobody_reaches_what_follows_a_split_that_all_leave_or_a_flow_that_they_leave_for() -> None:
    out = split(otherwise=Branch(name="Everyone else", exit=ExitSettings()))
    assert hints(wait(1), out, wait(2)) == ["", "Day 1", "", "nobody"]
    assert hints(wait(1), step("go_to_flow", then="leave"), wait(2)) == ["", "Day 1", "", "nobody"]
    assert hints(wait(1), step("go_to_flow", then="stay"), wait(2)) == ["", "Day 1", "Day 1", "Day 3"]


def test_a_wait_for_an_action_lasts_up_to_its_maximum_or_has_no_end() -> None:
    action = step("wait_for_action", amount=7, unit="days")
    assert hints(action, step("send_email")) == ["", "Up to day 7", "Up to day 7"]
    assert hints(wait(2), action, step("send_email"))[-1] == "Day 2–9"
    assert hints(wait(3, "hours"), action)[-1] == "3 h to day 8"
    assert hints(step("wait_for_action", limited=False))[-1] == "Any time later"
    assert hints(wait(2), step("wait_for_action", limited=False))[-1] == "Day 2 or later"


def test_a_date_may_be_past_already_or_far_away() -> None:
    until = step("wait_for_time", mode="moment", moment="2026-12-24T09:00:00")
    assert hints(wait(2), until, wait(1), step("send_email"))[1:] == [
        *("Day 2", "Day 2 or later", "Day 3 or later", "Day 3 or later"),
    ]


def test_unfinished_and_unreadable_waits_count_as_nothing() -> None:
    assert hints(wait(None), step("send_email")) == ["", "", ""]
    assert hints(step("wait_for_time", amount="soon"), wait(1)) == ["", "", "Day 1"]
    assert hints(wait(10_000, "weeks"))[-1] == "Day 70,000"
    assert hints(wait(10**15, "weeks"))[-1] == ""
    assert hints(wait(-5))[-1] == ""


@pytest.mark.parametrize("amount", [1, 2, 3, 4, 5, 7, 10, 23])
def test_workdays_are_as_many_days_as_the_calendar_makes_them(amount: int) -> None:
    monday = dt.date(2026, 11, 16)
    starts = [monday + dt.timedelta(days=day) for day in range(7)]
    took = [nth_workday(start, amount, frozenset()) - start for start in starts]
    assert span(amount, "workdays") == Lasting(min(took), max(took))
    assert span(0, "workdays") == Lasting()


@pytest.mark.django_db
def test_the_designer_the_revision_and_view_flow_show_it_on_the_cards_and_at_the_finish(
    alice: Person, flow: Flow, world: World
) -> None:
    document = FlowDocument(settings=world.settings(), steps=(wait(2), step("webhook", "Call"), wait(1)))
    with tenant_scope(alice.tenant.pk):
        drafts.apply(
            flow_id=flow.pk, base_version=0, change=lambda _: document, label="", actor=alice.user, now=NOW
        )
        save_draft(flow_id=flow.pk, base_version=1, actor=alice.user, now=NOW)
    for path in ("edit/", "edit/revisions/1/", "canvas/"):
        html = alice.client().get(alice.url(f"flows/{flow.pk}/{path}")).content.decode()
        shown = re.findall(r"Reached: </span>([^<]*)</span>", html)
        assert shown == ["Day 2", "Day 2", "Day 3"], path
