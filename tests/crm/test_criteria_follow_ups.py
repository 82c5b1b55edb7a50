"""Follow-ups in criteria: SQL agrees with counting the rows in Python; words, uses, and when to judge anew."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Tenant, User
from crm.criteria.change import depends_on_today, event_kinds
from crm.criteria.describe import describe
from crm.criteria.explain import first_failure
from crm.criteria.references import references
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.validate import problems
from crm.models import FollowUp, ListItem
from tests.crm.conftest import NOW, make_contact, make_item
from tests.crm.criteria_sql import matching

ZONE = ZoneInfo("Pacific/Auckland")
DAY = dt.timedelta(days=1)
Rows = dict[int, list[FollowUp]]


def one(field: str, operator: str, *values: Any, which: tuple[int, ...] = (), days: Any = None) -> Criteria:
    line = Line(field=field, operator=operator, values=values, which=which, days=days)
    return Criteria(groups=(Group(lines=(line,)),))


@pytest.fixture
def types(bare: Tenant) -> tuple[ListItem, ListItem]:
    return make_item("follow_up_type", "Call"), make_item("follow_up_type", "Visit")


@pytest.fixture
def desk(bare: Tenant, anna: User, types: tuple[ListItem, ListItem]) -> Rows:
    """Contacts with none to four follow-ups, open and done, of two types and none."""
    made: Rows = {}
    for n in range(12):
        contact = make_contact(last_name=f"P{n}")
        made[contact.pk] = []
        for k in range(n % 5):
            at = NOW - ((n * 7 + k * 11) % 40) * DAY
            done = at + DAY if (n + k) % 2 else None
            made[contact.pk].append(
                FollowUp.objects.create(
                    kind="task",
                    title="T",
                    type=(*types, None)[(n + k) % 3],
                    contact=contact,
                    assignee=anna,
                    day=NOW.date(),
                    status="done" if done else "open",
                    done_at=done,
                    created_at=at,
                    updated_at=at,
                )
            )
    return made


def expected(desk: Rows, keep: Any, least: int) -> set[int]:
    return {contact for contact, rows in desk.items() if sum(map(keep, rows)) >= least}


def held(criteria: Criteria) -> set[int]:
    return set(matching(criteria, now=NOW, zone=ZONE))


def test_counting_them_agrees_with_python(desk: Rows, types: tuple[ListItem, ListItem]) -> None:
    call = types[0].pk
    since = dt.datetime.combine((NOW.astimezone(ZONE) - 10 * DAY).date(), dt.time(0), ZONE)
    assert held(one("follow_up.made", "at_least", 2)) == expected(desk, lambda f: True, 2)
    assert held(one("follow_up.open", "at_least", 1)) == expected(desk, lambda f: f.status == "open", 1)
    assert held(one("follow_up.done", "at_least", 1, which=(call,))) == expected(
        desk, lambda f: f.status == "done" and f.type_id == call, 1
    )
    assert held(one("follow_up.done", "at_least", 1, days=10)) == expected(
        desk, lambda f: f.done_at is not None and f.done_at >= since, 1
    )
    assert held(one("follow_up.made", "fewer", 1)) == {contact for contact, rows in desk.items() if not rows}


def test_the_last_one_is_a_date(desk: Rows) -> None:
    day = (NOW - 5 * DAY).astimezone(ZONE).date()
    newest = {
        contact: max(f.created_at for f in rows).astimezone(ZONE).date()
        for contact, rows in desk.items()
        if rows
    }
    found = held(one("follow_up.last", "after", day.isoformat()))
    assert found == {contact for contact, last in newest.items() if last > day}
    assert held(one("follow_up.last", "is_empty")) == set(desk) - set(newest)


def test_words_uses_and_when_to_judge_anew(desk: Rows, types: tuple[ListItem, ListItem]) -> None:
    call = types[0].pk
    criteria = one("follow_up.done", "at_least", 1, which=(call,))
    assert problems(criteria) == []
    assert "Call" in describe(criteria)
    assert list(references(criteria)) == [("list_item", call)]
    assert event_kinds(criteria) == {
        "follow_up.created", "follow_up.updated", "follow_up.deleted", "follow_up.completed", "follow_up.reopened",
    }  # fmt: skip
    assert not depends_on_today(criteria)
    assert depends_on_today(one("follow_up.made", "at_least", 1, days=3))
    nobody = next(contact for contact, rows in desk.items() if not rows)
    failure = first_failure(criteria, contact_ids=[nobody], now=NOW, zone=ZONE)
    assert failure[nobody].seen == "0"
