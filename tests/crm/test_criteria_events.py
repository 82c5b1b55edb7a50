"""Engagement and flow history in criteria: SQL agrees with counting the events in Python, and says what it saw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant
from core.tenancy import tenant_scope
from crm.criteria.change import depends_on_today, event_kinds
from crm.criteria.describe import describe
from crm.criteria.explain import first_failure
from crm.criteria.references import references
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.validate import problems
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact
from tests.crm.conftest import make_contact
from tests.crm.criteria_sql import matching
from tests.crm.plain_criteria import reads_day

ZONES = [ZoneInfo(name) for name in ("Europe/Oslo", "Pacific/Auckland", "America/Santiago", "Asia/Kathmandu")]
# The day after a DST change in Oslo; midnight in Auckland is far from that in Santiago.
NOW = dt.datetime(2026, 10, 26, 0, 30, tzinfo=dt.UTC)
KIND = {
    "event.got": "message.sent",
    "event.opened": "message.opened",
    "event.clicked": "message.clicked",
    "event.got_sms": "message.sent",
    "event.clicked_sms": "message.clicked",
    "flow.enrolled": "flow.enrolled",
    "flow.finished": "flow.finished",
    "flow.dropped": "flow.dropped",
}
EMAILS = (7, 8)


def one(line: Line) -> Criteria:
    """Criteria of one line."""
    return Criteria(groups=(Group(lines=(line,)),))


def event(kind: str, contact: Contact, at: dt.datetime, thing: int | None = 7, **more: Any) -> NewEvent:
    """Build an event about a thing."""
    return NewEvent(kind, contact.pk, at, Origin.SYSTEM, object_id=thing, **more)


@dataclass
class Past:
    """What happened to whom, in plain Python."""

    people: list[int] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)


@pytest.fixture
def past(bare: Tenant) -> Past:
    """Contacts with none to several events on either side of midnights and DST changes."""
    offsets = [0, 30, 90, 60 * 13, 60 * 24, 60 * 24 + 1, 60 * 25, 60 * 49, 60 * 24 * 7, 60 * 24 * 40]
    contacts = [make_contact(last_name=f"P{n}") for n in range(12)]
    events = []
    for n, contact in enumerate(contacts):
        for k in range(n % 5):
            at = NOW - dt.timedelta(minutes=offsets[(n + 3 * k) % len(offsets)])
            kinds = [*dict.fromkeys(KIND.values()), "flow.cancelled", "message.machine_opened"]
            kind = kinds[(n + k) % 8]
            key = "success" if kind == "flow.finished" and k % 2 else ""
            thing = None if (n + k) % 7 == 3 else EMAILS[(n + k // 2) % 2]
            events.append(event(kind, contact, at, thing, object_key=key, participant_id=n % 3 + 1))
            if k == 2:
                events.append(event(kind, contact, at, thing, object_key=key, participant_id=n % 3 + 1))
    record_events(events)
    return Past([contact.pk for contact in contacts], events)


def counted(past: Past, contact_id: int, line: Line, zone: ZoneInfo) -> int:
    """Count as a person would: from midnight of the day that lies so many days back."""
    today = NOW.astimezone(zone).date()
    kind = KIND.get(line.field, "flow.finished")
    found = [e for e in past.events if e.contact_id == contact_id and e.kind == kind]
    if line.field.startswith("event."):
        # A message that names no email is an SMS.
        found = [e for e in found if (e.object_id is None) == line.field.endswith("_sms")]
    if line.field == "flow.succeeded":
        found = [e for e in found if e.object_key == "success"]
    if line.which:
        found = [e for e in found if e.object_id in {int(value) for value in line.which}]
    if line.days is not None:
        found = [e for e in found if (today - e.at.astimezone(zone).date()).days <= int(line.days)]
    if line.when:
        days = list(line.when_values)
        found = [e for e in found if reads_day(line.when, days, e.at.astimezone(zone).date(), today)]
    return len(found)


def holds(past: Past, contact_id: int, line: Line, zone: ZoneInfo) -> bool:
    """Judge one line as a person would."""
    if line.field == "flow.active":
        mine = [e for e in past.events if e.contact_id == contact_id]
        over = {
            e.participant_id for e in mine if e.kind in {"flow.finished", "flow.dropped", "flow.cancelled"}
        }
        inside = [e for e in mine if e.kind == "flow.enrolled" and e.participant_id not in over]
        if line.which:
            inside = [e for e in inside if e.object_id in {int(value) for value in line.which}]
        return bool(inside) == (line.operator == "yes")
    times, number = int(line.values[0]), counted(past, contact_id, line, zone)
    return {"at_least": number >= times, "exactly": number == times, "fewer": number < times}[line.operator]


# Both sides of the day after a DST change, wherever the zone's midnight lies.
NEAR = st.sampled_from(["2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27", "2026-09-16", "9999-12-31"])
UNITS = st.sampled_from(["day", "week", "month", "quarter", "year"])
PERIODS = st.one_of(
    st.none(),
    st.just(("today", ())),
    st.tuples(st.sampled_from(["this", "last", "next"]), st.sampled_from([1, 2, 40]), UNITS).map(
        lambda values: ("in_period", values)
    ),
    st.sampled_from([0, 1, "2", 40]).map(lambda n: ("days_ago", (n,))),
    st.tuples(st.sampled_from(["on", "before", "after"]), NEAR).map(lambda one: (one[0], (one[1],))),
    st.tuples(NEAR, NEAR).map(lambda two: ("between", two)),
)
which = st.sampled_from([(), (7,), ("8",), (7, 8), (99,)])
LINES = st.one_of(
    st.builds(
        lambda f, o, n, w, d, p: Line(
            field=f,
            operator=o,
            values=(n,),
            which=() if f.endswith("_sms") else w,
            days=d if p is None else None,
            when="" if p is None else p[0],
            when_values=() if p is None else p[1],
        ),
        st.sampled_from([*KIND, "flow.succeeded"]),
        st.sampled_from(["at_least", "exactly", "fewer"]),
        st.sampled_from([0, 1, "2", 3]),
        which,
        st.sampled_from([None, 1, 2, 7, "40", 3650]),
        PERIODS,
    ),
    st.builds(
        lambda o, w: Line(field="flow.active", operator=o, which=w), st.sampled_from(["yes", "no"]), which
    ),
)


def trees(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Criteria]:
    """Groups of parts."""
    groups = st.lists(
        st.lists(parts, min_size=1, max_size=2).map(lambda p: Group(lines=tuple(p))), min_size=1
    )
    return groups.map(lambda found: Criteria(groups=tuple(found[:3])))


def tree_holds(past: Past, contact_id: int, criteria: Criteria, zone: ZoneInfo) -> bool:
    """Judge a tree as a person would."""
    return any(
        all(
            holds(past, contact_id, part, zone)
            if isinstance(part, Line)
            else tree_holds(past, contact_id, part, zone)
            for part in group.lines
        )
        for group in criteria.groups
    )


def test_sql_agrees_with_counting_the_events(past: Past) -> None:
    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(trees(st.one_of(LINES, LINES, trees(LINES))), st.sampled_from(ZONES))
    def check(criteria: Criteria, zone: ZoneInfo) -> None:
        expected = {pk for pk in past.people if tree_holds(past, pk, criteria, zone)}
        assert matching(criteria, now=NOW, zone=zone) == expected
        failures = first_failure(criteria, contact_ids=past.people, now=NOW, zone=zone)
        assert set(failures) == set(past.people) - expected

    check()


def test_the_failure_names_the_line_and_the_number_that_it_saw(bare: Tenant) -> None:
    contact = make_contact(last_name="Ek", job_title="Cook")
    record_events([event("message.opened", contact, NOW, object_key="") for _ in range(2)])
    opened = Line(field="event.opened", operator="at_least", values=(3,), days=30)
    chef = Line(field="contact.job_title", operator="is", values=("chef",))
    nested = Criteria(groups=(Group(lines=(opened, chef)), Group(lines=(chef,))))
    criteria = Criteria(groups=(Group(lines=(nested,)),))
    found = first_failure(criteria, contact_ids=[contact.pk], now=NOW, zone=ZONES[0])[contact.pk]
    assert found.as_values() == {
        "rule": "Opened an email at least 3 times in the last 30 days",
        "field": "event.opened",
        "seen": "2",
        "group": 0,
        "within": "Opened an email at least 3 times in the last 30 days and Job title is “chef”, "
        "or Job title is “chef”",
    }


def test_events_of_another_tenant_count_for_nothing(db: None) -> None:
    mine, other = (Tenant.objects.create(slug=slug, name=slug) for slug in ("mine", "other"))
    with tenant_scope(mine.pk):
        contact = make_contact(last_name="Ek")
    with tenant_scope(other.pk):
        record_events([event("message.opened", contact, NOW)])
    with tenant_scope(mine.pk):
        opened = one(Line(field="event.opened", operator="at_least", values=(1,)))
        assert matching(opened, now=NOW, zone=ZONES[0]) == set()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Line(field="event.got", operator="fewer", values=(1,)), "Got an email fewer than 1 time"),
        (
            Line(field="event.clicked", operator="exactly", values=("2",), days=1),
            "Clicked in an email exactly 2 times in the last 1 day",
        ),
        (
            Line(
                field="event.got",
                operator="at_least",
                values=(1,),
                when="in_period",
                when_values=("this", 1, "quarter"),
            ),
            "Got an email at least 1 time in this quarter",
        ),
        (
            Line(field="event.got", operator="exactly", values=(3,), when="days_ago", when_values=("1",)),
            "Got an email exactly 3 times more than 1 day ago",
        ),
        (
            Line(
                field="event.got",
                operator="fewer",
                values=(3,),
                when="between",
                when_values=("2026-01-01", "2026-03-31"),
            ),
            "Got an email fewer than 3 times between 1 January 2026 and 31 March 2026",
        ),
        (
            Line(field="contact.created_at", operator="in_period", values=("last", 3, "month")),
            "Created is in the last 3 months",
        ),
        (
            Line(field="contact.created_at", operator="last_days", values=("1",)),
            "Created is in the last 1 day",
        ),
        (
            Line(field="contact.date_of_birth", operator="days_ago", values=("7000",)),
            "Date of birth is more than 7000 days ago",
        ),
        (
            Line(field="flow.active", operator="yes", which=(99,)),
            "Is in a flow now (a value that is gone) is yes",
        ),
    ],
)
def test_lines_read_as_sentences(bare: Tenant, line: Line, words: str) -> None:
    assert describe(one(line)) == words


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (Line(field="event.got", operator="at_least", values=("x",)), "is not a number from 0"),
        (Line(field="event.got", operator="at_least"), "a value is missing"),
        (Line(field="event.got", operator="at_least", values=(1,), days="soon"), "not a number of days"),
        (Line(field="event.got", operator="at_least", values=(1,), days=0), "not a number of days"),
        (Line(field="event.got", operator="at_least", values=(1,), which=(99,)), "does not exist any more"),
        (Line(field="contact.job_title", operator="is", values=("x",), days=3), "days cannot be chosen"),
        (Line(field="contact.job_title", operator="is", values=("x",), which=(3,)), "nothing can be chosen"),
        (Line(field="flow.active", operator="yes", days=3), "days cannot be chosen"),
        (
            Line(field="contact.job_title", operator="is", values=("x",), when="today"),
            "days cannot be chosen",
        ),
        (Line(field="event.got", operator="at_least", values=(1,), when="is_empty"), "choose a period"),
        (Line(field="event.got", operator="at_least", values=(1,), when="on"), "a value is missing"),
        (
            Line(field="event.got", operator="at_least", values=(1,), when="days_ago", when_values=("3651",)),
            "“3651” is not a number of days from 0 to 3,650.",
        ),
        (
            Line(
                field="event.got",
                operator="at_least",
                values=(1,),
                when="between",
                when_values=("2026-02-01", "2026-01-01"),
            ),
            "the first value is after the second",
        ),
        (Line(field="event.got", operator="at_least", values=(1,), currency="NOK"), "a currency cannot be"),
    ],
)
def test_what_is_wrong_is_said(bare: Tenant, line: Line, says: str) -> None:
    assert says in problems(one(line))[0]


def test_what_the_lines_name_is_in_use() -> None:
    lines: Sequence[Line] = (
        Line(field="event.opened", operator="at_least", values=(1,), which=(7, "8")),
        Line(field="flow.active", operator="no", which=(3,)),
    )
    assert list(references(Criteria(groups=(Group(lines=tuple(lines)),)))) == [
        ("email", 7),
        ("email", 8),
        ("flow", 3),
    ]


@pytest.mark.parametrize(
    ("line", "kinds", "daily"),
    [
        (Line(field="contact.job_title", operator="is", values=("x",)), {"contact.created", "contact.updated"}, False),
        (Line(field="contact.date_of_birth", operator="today"), {"contact.created", "contact.updated"}, True),
        (Line(field="contact.selections", operator="is_set"), {"selection.added", "selection.removed"}, False),
        (Line(field="subscription.4", operator="no"), {"subscribed", "unsubscribed"}, False),
        (Line(field="consent.e-marketing", operator="yes"), {"consent.given", "consent.withdrawn"}, False),
        (Line(field="company.custom.size", operator="is_set"), {"contact.created", "contact.updated"}, False),
        (Line(field="event.clicked", operator="at_least", values=(1,)), {"message.clicked"}, False),
        (Line(field="event.got", operator="fewer", values=(1,), days=30), {"message.sent"}, True),
        (Line(field="event.got", operator="fewer", values=(1,), when="today"), {"message.sent"}, True),
        (
            Line(field="event.got", operator="fewer", values=(1,), when="on", when_values=("2026-01-01",)),
            {"message.sent"}, False,
        ),
        (
            Line(field="contact.date_of_birth", operator="days_ago", values=(3,)),
            {"contact.created", "contact.updated"}, True,
        ),
        (Line(field="flow.active", operator="no"), set(), True),
    ],
)  # fmt: skip
def test_it_is_known_when_an_answer_may_change(line: Line, kinds: set[str], daily: bool) -> None:
    assert event_kinds(one(line)) == kinds
    assert depends_on_today(one(line)) is daily


def test_criteria_of_several_lines_listen_to_all_that_they_name() -> None:
    chef = Line(field="contact.job_title", operator="is", values=("x",))
    member = Line(field="contact.projects", operator="is_set")
    tree = Criteria(groups=(Group(lines=(chef, one(member))),))
    assert event_kinds(tree) == {"contact.created", "contact.updated", "project.added", "project.removed"}
    assert (event_kinds(Criteria()), depends_on_today(Criteria())) == (frozenset(), False)


def test_an_sms_is_no_email_and_what_was_clicked_in_it_was_not_opened(bare: Tenant) -> None:
    mailed, texted = make_contact(last_name="Mailed"), make_contact(last_name="Texted")
    for contact, thing in ((mailed, 7), (texted, None)):
        record_events([event(kind, contact, NOW, thing) for kind in ("message.sent", "message.clicked")])

    def who(field: str) -> set[int]:
        return matching(
            one(Line(field=field, operator="at_least", values=(1,))), now=NOW, zone=ZoneInfo("UTC")
        )

    assert (who("event.got"), who("event.clicked")) == ({mailed.pk}, {mailed.pk})
    assert (who("event.got_sms"), who("event.clicked_sms")) == ({texted.pk}, {texted.pk})
    sms = Line(field="event.got_sms", operator="at_least", values=(2,), days=7)
    assert describe(one(sms)) == "Got an SMS at least 2 times in the last 7 days"
    assert "nothing can be chosen here" in problems(one(sms.model_copy(update={"which": (7,)})))[0]
