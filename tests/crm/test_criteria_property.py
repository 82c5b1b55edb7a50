"""Random criteria over random contacts, in many zones, at awkward moments: SQL, explanation and a plain reading agree.

The reading knows nothing of crm.criteria: it is written from spec-like sentences, over plain values.
"""

from __future__ import annotations

import datetime as dt
import random
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant, User
from core.db.cursors import raw_cursor
from core.text import norm
from crm.criteria.describe import describe
from crm.criteria.explain import first_failure
from crm.criteria.fold import folded
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.validate import problems
from crm.models import (
    CompanyFieldValue,
    ContactFieldValue,
    ContactInterest,
    CustomField,
    Selection,
    SelectionMember,
)
from crm.operations.clubs import create_club
from tests.crm.conftest import make_company, make_contact, make_item
from tests.crm.criteria_sql import matching
from tests.crm.plain_criteria import tree_reads

# Gaps and folds, midnights that do not exist, both ends of the date line, and quarter hours.
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Oslo",
        "America/New_York",
        "America/Santiago",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
        "Asia/Beirut",
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "Africa/Casablanca",
    )
]
NOWS = [
    dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=dt.UTC),  # Oslo leaps in a second
    dt.datetime(2026, 10, 25, 1, 0, tzinfo=dt.UTC),  # Oslo has had its hour twice
    dt.datetime(2026, 9, 6, 4, 30, tzinfo=dt.UTC),  # Santiago has no midnight today
    dt.datetime(2028, 2, 29, 10, 0, tzinfo=dt.UTC),
    dt.datetime(2027, 2, 28, 23, 59, tzinfo=dt.UTC),
    dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 1, 0, 0, tzinfo=dt.UTC),
]
TEXTS = [
    "", "Chef", "CHEF de cuisine", "İstanbul", "istanbul", "ISTANBUL", "ıstanbul", "Straße", "STRASSE", "Straẞe",
    "Σίσυφος", "ΣΊΣΥΦΟΣ", "ᾳΔ", "ﬁnance", "Finance", "Cafe\u0301", "Café", "J\u030c", "ǰ",
    "料理長", "👩‍🍳", "👩", "100%_",
    "a\\b", "a'b", "Head  Chef", "head chef", "head\u00a0chef", "ＡＢＣ", "abc", "ᏣᎳᎩ", "ꮳꮃꭹ", "n\u0303", "ñ", "  ",
]  # fmt: skip
ALPHABET = "aAéßẞİıiIsSςσΣﬁeE\u0301\u0345αΑ 👩Ǆǆµμ料Ꮳꮳ%_\\'"
ISO = [
    "2026-03-28",
    "2026-03-29",
    "2026-10-25",
    "2028-02-29",
    "2000-02-29",
    "1900-01-01",
    "2026-12-31",
    "9999-12-31",
]


@dataclass(frozen=True, slots=True)
class World:
    """What each contact has, by field key, and the ids that lists know."""

    people: Mapping[int, Mapping[str, Any]]
    ids: Mapping[str, list[int]]


@pytest.fixture(params=[1, 2])
def world(request: pytest.FixtureRequest, bare: Tenant, anna: User) -> World:
    """Contacts with random values of every type, empty ones among them."""
    dice = random.Random(request.param)
    fields = {
        f"{on}.custom.{type_}": CustomField.objects.create(on=on, key=type_, name=f"{on} {type_}", type=type_)
        for on in ("contact", "company")
        for type_ in ("text", "number", "money", "date", "bool", "list")
    }
    ids = {
        "contact.category": [make_item("category", name).pk for name in "AB"],
        "contact.interests": [make_item("interest", name).pk for name in "ABC"],
        "contact.our_contact": [anna.pk],
    }
    for on in ("contact", "company"):
        key = f"{on}.custom.list"
        ids[key] = [make_item("custom", name, field=fields[key]).pk for name in "AB"]
    ids["contact.selections"] = [
        create_club(model=Selection, name=n, description="", actor=anna, now=NOWS[0]).pk for n in "AB"
    ]
    companies = [
        (make_company(f"{text or 'x'} {n}"), text, n) for n, text in enumerate(dice.sample(TEXTS, 4))
    ]
    of_company = {}
    for company, _, n in companies:
        company.category_id = dice.choice([None, *ids["contact.category"]])
        company.country = dice.choice(["", "NO", "DE"])
        company.save()
        own = {key: _value(dice, key, ids) for key in fields if key.startswith("company.")}
        _store(CompanyFieldValue, "company", company, own, fields)
        of_company[company.pk] = {
            **own,
            "company.name": company.name,
            "company.country": company.country,
            "contact.category": company.category_id,
            "contact.our_contact": None,
        }
        assert n >= 0
    people = {}
    for _ in range(45):
        company_or_none = dice.choice([None, *[company for company, _, _ in companies]])
        own = {key: _value(dice, key, ids) for key in fields if key.startswith("contact.")}
        have = {
            "contact.first_name": dice.choice(TEXTS),
            "contact.job_title": dice.choice(TEXTS),
            "contact.country": dice.choice(["", "NO", "DE"]),
            "contact.date_of_birth": dice.choice([None, *map(dt.date.fromisoformat, ISO)]),
            "contact.former_employee": dice.random() < 0.3,
            "contact.created_at": _moment(dice),
            "contact.category": dice.choice([None, *ids["contact.category"]]),
            "contact.our_contact": dice.choice([None, anna.pk]),
        }
        columns = {
            {"category": "category_id", "our_contact": "our_contact_id"}.get(name, name): value
            for key, value in have.items()
            for name in [key.removeprefix("contact.")]
        }
        contact = make_contact(company=company_or_none, **columns)
        _store(ContactFieldValue, "contact", contact, own, fields)
        interests = {i for i in ids["contact.interests"] if dice.random() < 0.4}
        ContactInterest.objects.bulk_create(ContactInterest(contact=contact, item_id=i) for i in interests)
        member = {i for i in ids["contact.selections"] if dice.random() < 0.4}
        SelectionMember.objects.bulk_create(
            SelectionMember(contact=contact, selection_id=i, added_at=NOWS[0]) for i in member
        )
        nothing: dict[str, Any] = {key: None for key in fields if key.startswith("company.")}
        nothing |= {"company.name": "", "company.country": ""}
        companys = of_company[company_or_none.pk] if company_or_none else nothing
        sets = {"contact.interests": interests, "contact.selections": member}
        people[contact.pk] = {**have, **own, **sets, **companys}
    return World(people, ids)


def _moment(dice: random.Random) -> dt.datetime:
    around = dice.choice(NOWS).replace(minute=0, second=0)
    return around + dt.timedelta(hours=dice.randint(-50, 50), seconds=dice.choice([-1, 0, 1]))


def _value(dice: random.Random, key: str, ids: Mapping[str, list[int]]) -> Any:
    if dice.random() < 0.25:
        return None
    pools: dict[str, list[Any]] = {
        "text": [text for text in TEXTS if text.strip()],
        "number": [Decimal(-3), Decimal(0), Decimal("0.5"), Decimal("99999999999.9999")],
        "money": [Decimal(0), Decimal("12000.5"), Decimal("-0.01")],
        "date": [dt.date.fromisoformat(text) for text in ISO],
        "bool": [True, False],
        "list": list(ids.get(key, ())),
    }
    return dice.choice(pools[key.rpartition(".")[2]])


def _store(
    model: Any, owner: str, thing: Any, values: Mapping[str, Any], fields: Mapping[str, CustomField]
) -> None:
    columns = {"text": "value_text", "number": "value_number", "money": "value_number", "date": "value_date"}
    columns |= {"bool": "value_bool", "list": "value_item_id"}
    for key, value in values.items():
        if value is not None:
            extra = {"value_norm": norm(value)} if fields[key].type == "text" else {}
            column = columns[fields[key].type]
            model.objects.create(**{owner: thing, "field": fields[key], column: value, **extra})


# --- random lines -----------------------------------------------------------------------------------------------------

WORDS = st.one_of(
    st.sampled_from([text for text in TEXTS if text.strip()]),
    st.text(ALPHABET, min_size=1, max_size=3).filter(lambda text: bool(norm(text))),
)
DAYS = st.sampled_from(ISO)
NUMBERS = st.sampled_from(["-3", "0", "0.5", "12000.50", "1e3", 99999999999.9999])


KNOWN = st.characters(exclude_categories=["Cs", "Cc", "Cn"])


def draw_line(key: str, kind: str, ids: Mapping[str, list[int]]) -> st.SearchStrategy[Line]:
    """Draw a line of a field with any operator of its type."""

    def line(operator: str, *values: st.SearchStrategy[Any]) -> st.SearchStrategy[Line]:
        return st.tuples(*values).map(lambda v: Line(field=key, operator=operator, values=tuple(v)))

    empty = [line("is_empty"), line("is_set")]
    if kind == "text":
        names = ("is", "begins_with", "ends_with", "contains")
        negations = ("is_not", "not_begins_with", "not_ends_with", "not_contains")
        return st.one_of(*empty, *(line(name, WORDS) for name in (*names, *negations)))
    if kind == "number":
        return st.one_of(
            *empty,
            *(line(name, NUMBERS) for name in ("eq", "ne", "gt", "lt", "ge", "le")),
            line("between", NUMBERS, NUMBERS),
        )
    if kind == "date":
        words = (st.sampled_from(["this", "next", "last"]), st.integers(1, 1000))
        return st.one_of(
            *empty,
            *(line(name) for name in ("today", "before_today", "after_today")),
            *(line(name, DAYS) for name in ("on", "before", "after")),
            line("between", DAYS, DAYS),
            line("anniversary_in", st.integers(0, 400)),
            *(
                line(name, st.integers(0, 3650))
                for name in ("last_days", "next_days", "days_ago", "days_ahead")
            ),
            line("in_period", *words, st.sampled_from(["day", "week", "month", "quarter", "year"])),
        )
    if kind == "bool":
        return st.one_of(line("yes"), line("no"))
    choices = st.lists(st.sampled_from(ids.get(key, ["NO", "DE", "SE"])), min_size=1, unique=True)
    listed = choices.flatmap(
        lambda v: st.sampled_from(["one_of", "not_one_of", "all_of"]).map(
            lambda o: Line(field=key, operator=o, values=tuple(v))
        )
    )
    return st.one_of(*empty, listed)


def draw_criteria(ids: Mapping[str, list[int]]) -> st.SearchStrategy[Criteria]:
    """Draw criteria, nested up to four deep."""
    kinds = {
        "contact.first_name": "text", "contact.job_title": "text", "company.name": "text",
        "contact.country": "code", "company.country": "code", "contact.date_of_birth": "date",
        "contact.created_at": "date", "contact.former_employee": "bool", "contact.category": "list",
        "contact.our_contact": "list", "contact.interests": "list", "contact.selections": "list",
    }  # fmt: skip
    for on in ("contact", "company"):
        for type_, kind in (("text", "text"), ("number", "number"), ("money", "number"), ("date", "date"),
                            ("bool", "bool"), ("list", "list")):  # fmt: skip
            kinds[f"{on}.custom.{type_}"] = kind
    lines = st.one_of(*(draw_line(key, kind, ids) for key, kind in kinds.items()))

    def grow(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Criteria]:
        group = st.lists(parts, min_size=1, max_size=3).map(lambda p: Group(lines=tuple(p)))
        return st.lists(group, min_size=1, max_size=2).map(lambda g: Criteria(groups=tuple(g)))

    return grow(st.recursive(lines, grow, max_leaves=5))


def test_sql_explanation_and_a_plain_reading_agree(world: World) -> None:
    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(draw_criteria(world.ids), st.sampled_from(NOWS), st.sampled_from(ZONES))
    def check(criteria: Criteria, now: dt.datetime, zone: ZoneInfo) -> None:
        today = now.astimezone(zone).date()
        expected = {pk for pk, have in world.people.items() if tree_reads(criteria, have, today, zone)}
        assert matching(criteria, now=now, zone=zone) == expected
        failures = first_failure(criteria, contact_ids=list(world.people), now=now, zone=zone)
        assert set(failures) == set(world.people) - expected
        assert all(failure.rule and failure.field in world.people[pk] for pk, failure in failures.items())
        assert describe(criteria)
        # Two bounds are drawn in any order; the user is no member.
        assert all("first value is after" in t or t.startswith("Our contact ") for t in problems(criteria))

    check()


@pytest.mark.django_db
def test_text_is_folded_in_sql_exactly_as_in_python() -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.one_of(st.text(ALPHABET, max_size=8), st.text(KNOWN, max_size=6)), max_size=20))
    def check(texts: list[str]) -> None:
        with raw_cursor() as cursor:
            cursor.execute(f"SELECT x, {folded('x')} FROM unnest(%s::text[]) AS u (x)", [texts])
            for text, found in cursor.fetchall():
                assert found == norm(text), ascii(text)

    check()


@pytest.mark.django_db
def test_every_character_is_folded_in_sql_as_in_python() -> None:
    """But for those that one of the two does not know yet: their tables are of different years."""
    kept = [
        chr(code)
        for code in range(32, 0x20000)
        if unicodedata.category(chr(code)) not in {"Cs", "Cn", "Cc", "Co"}
    ]
    with raw_cursor() as cursor:
        cursor.execute(f"SELECT x, {folded('x')} FROM unnest(%s::text[]) AS u (x)", [kept])
        wrong = [(hex(ord(x)), found, norm(x)) for x, found in cursor.fetchall() if found != norm(x)]
    assert wrong == []
