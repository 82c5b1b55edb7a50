"""Criteria as SQL agree with a naive reading of the same criteria in Python, for every operator and field type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant, User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.criteria.explain import first_failure
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.sql import FROM, compile_criteria
from crm.models import (
    CompanyFieldValue,
    Consent,
    ConsentPurpose,
    Contact,
    ContactFieldValue,
    ContactInterest,
    CustomField,
    Project,
    ProjectMember,
    Selection,
    SelectionMember,
    SubscriptionOptOut,
    SubscriptionType,
)
from tests.crm.conftest import NOW, make_company, make_contact, make_item
from tests.crm.naive_criteria import OSLO, TODAY, holds


@dataclass
class World:
    """The contacts of the tenant as plain Python, and the ids that criteria may name."""

    people: dict[int, dict[str, Any]] = field(default_factory=dict)
    ids: dict[str, list[int]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


def matches(criteria: Criteria) -> set[int]:
    """Return who matches by SQL."""
    compiled = compile_criteria(criteria, now=NOW, zone=OSLO)
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {compiled.sql} FROM {FROM} WHERE c.tenant_id = %s::bigint",
            [*compiled.params, require_tenant_id()],
        )
        rows = cursor.fetchall()
    assert all(held is not None for _, held in rows)
    return {contact_id for contact_id, held in rows if held}


TITLES = ["", "Chef", "chef de cuisine", "Head CHEF", "Åpent hus-leder", "100% _wild\\", "料理長"]
DATES = [None, dt.date(1980, 2, 29), dt.date(2026, 11, 22), TODAY, dt.date(2026, 11, 30), dt.date(2027, 1, 1)]
MOMENTS = [
    dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC),  # already the 23rd in Oslo
    dt.datetime(2026, 11, 22, 22, 30, tzinfo=dt.UTC),
    dt.datetime(2025, 12, 31, 23, 0, tzinfo=dt.UTC),
]
NUMBERS = [None, Decimal(-3), Decimal(0), Decimal(12000), Decimal("99999.95")]


@pytest.fixture
def world(bare: Tenant, anna: User) -> World:
    """Contacts over which every field has empty, equal and unequal values."""
    w = World()
    categories = [make_item("category", name).pk for name in ("Prospect", "Customer")]
    interests = [make_item("interest", name).pk for name in ("Events", "Offers", "Webinars")]
    purpose = ConsentPurpose.objects.create(key="e-marketing", name="E-marketing")
    newsletter = SubscriptionType.objects.create(name="Newsletter")
    selections = [Selection.objects.create(name=n, created_at=NOW).pk for n in ("A", "B")]
    projects = [Project.objects.create(name=n, created_at=NOW).pk for n in ("P", "Q")]
    fields = {
        name: CustomField.objects.create(on=on, key=name, name=name, type=type_)
        for name, on, type_ in (
            ("note", "contact", "text"),
            ("revenue", "contact", "money"),
            ("since", "contact", "date"),
            ("vip", "contact", "bool"),
            ("tier", "contact", "list"),
            ("staff", "company", "number"),
        )
    }
    tiers = [make_item("custom", name, field=fields["tier"]).pk for name in ("Gold", "Silver")]
    w.ids = {
        "category": categories,
        "interest": interests,
        "selection": selections,
        "project": projects,
        "tier": tiers,
        "user": [anna.pk],
    }
    w.keys = {"subscription": f"subscription.{newsletter.pk}"}
    east = make_company("Øst & Vest", category_id=categories[0], our_contact=anna, country="NO")
    companies = [None, east, make_company("straße gmbh", category_id=None)]
    CompanyFieldValue.objects.create(company=east, field=fields["staff"], value_number=Decimal(50))
    for n in range(42):
        company = companies[n % 3]
        own = categories[n % 2] if n % 4 else None
        contact = make_contact(
            first_name=["", "Åse", "Bob"][n % 3],
            last_name="Berg",
            job_title=TITLES[n % 7],
            email=["", "Åse@Exämple.com", "bob@example.com"][(n // 2) % 3],
            country=["", "NO", "DE"][n % 3],
            date_of_birth=DATES[n % 6],
            category_id=own,
            our_contact=anna if n % 5 == 0 else None,
            former_employee=n % 6 == 0,
            company=company,
            created_at=MOMENTS[n % 3],
        )
        person: dict[str, Any] = {
            "contact.first_name": contact.first_name,
            "contact.job_title": contact.job_title,
            "contact.email": contact.email,
            "contact.country": contact.country or None,
            "contact.date_of_birth": contact.date_of_birth,
            "contact.created_at": contact.created_at.astimezone(OSLO).date(),
            "contact.former_employee": contact.former_employee,
            "contact.category": company.category_id if company else own,
            "contact.our_contact": company.our_contact_id if company else contact.our_contact_id,
            "company.name": company.name if company else "",
            "company.country": (company.country or None) if company else None,
            "company.custom.staff": Decimal(50) if company and company.our_contact_id else None,
        }
        person |= _more(contact, n, w, fields, purpose, newsletter)
        w.people[contact.pk] = person
    return w


def _more(  # noqa: C901 (a table of which contact has what)
    contact: Contact,
    n: int,
    w: World,
    fields: dict[str, CustomField],
    purpose: ConsentPurpose,
    newsletter: SubscriptionType,
) -> dict[str, Any]:
    interests = set(w.ids["interest"][: n % 4])
    for item in interests:
        ContactInterest.objects.create(contact=contact, item_id=item)
    selections = set(w.ids["selection"][n % 2 : 1 + n % 2]) if n % 3 else set()
    for selection in selections:
        SelectionMember.objects.create(contact=contact, selection_id=selection, added_at=NOW)
    projects = set(w.ids["project"][: n % 3])
    for project in projects:
        ProjectMember.objects.create(contact=contact, project_id=project, added_at=NOW)
    if n % 3:
        Consent.objects.create(contact=contact, purpose=purpose, given=n % 3 == 1, at=NOW)
    if n % 5 == 1:
        SubscriptionOptOut.objects.create(contact=contact, type=newsletter, at=NOW)
    note = ["", "Straße", "Ärger im Büro"][n % 3]
    values: dict[str, dict[str, Any]] = {}
    if note:
        values["note"] = {"value_text": note, "value_norm": " ".join(note.casefold().split())}
    if NUMBERS[n % 5] is not None:
        values["revenue"] = {"value_number": NUMBERS[n % 5]}
    if DATES[(n + 1) % 6]:
        values["since"] = {"value_date": DATES[(n + 1) % 6]}
    if n % 3:
        values["vip"] = {"value_bool": n % 3 == 1}
    if n % 4:
        values["tier"] = {"value_item_id": w.ids["tier"][n % 2]}
    for name, columns in values.items():
        ContactFieldValue.objects.create(contact=contact, field=fields[name], **columns)
    return {
        "contact.interests": interests,
        "contact.selections": selections,
        "contact.projects": projects,
        "consent.e-marketing": n % 3 == 1,
        w.keys["subscription"]: n % 5 != 1,
        "contact.custom.note": note,
        "contact.custom.revenue": NUMBERS[n % 5],
        "contact.custom.since": DATES[(n + 1) % 6],
        "contact.custom.vip": n % 3 == 1,
        "contact.custom.tier": w.ids["tier"][n % 2] if n % 4 else None,
    }


# --- lines to try -------------------------------------------------------------------------------------------------

WANTED = ["chef", "CHEF", "hef d", "%", "_wild\\", "料理", "åpent", "STRASSE", "büro", "ase", "example", "@"]
ISO = ["2026-11-22", "2026-11-23", "2026-11-30", "1980-02-29", "2028-02-28"]


def lines(w: World) -> st.SearchStrategy[Line]:
    """Every field of every type with every operator of its type."""
    text = st.builds(
        lambda f, o, v: Line(field=f, operator=o, values=(v,)),
        st.sampled_from(
            [
                "contact.first_name",
                "contact.job_title",
                "contact.email",
                "company.name",
                "contact.custom.note",
            ]
        ),
        st.sampled_from(
            [
                "is",
                "is_not",
                "begins_with",
                "not_begins_with",
                "ends_with",
                "not_ends_with",
                "contains",
                "not_contains",
            ]
        ),
        st.sampled_from(WANTED),
    )
    number = st.builds(
        lambda f, o, v, z: Line(field=f, operator=o, values=(v, z) if o == "between" else (v,)),
        st.sampled_from(["contact.custom.revenue", "company.custom.staff"]),
        st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "between"]),
        st.sampled_from(["-3", "0", "50", "12000"]),
        st.sampled_from(["50", "99999.95"]),
    )
    dates = ["contact.date_of_birth", "contact.created_at", "contact.custom.since"]
    date = st.builds(
        lambda f, o, v, z: Line(
            field=f, operator=o, values=tuple(sorted((v, z))) if o == "between" else (v,)
        ),
        st.sampled_from(dates),
        st.sampled_from(["on", "before", "after", "between"]),
        st.sampled_from(ISO),
        st.sampled_from(ISO),
    )
    relative = st.builds(
        lambda f, o: Line(field=f, operator=o),
        st.sampled_from(dates),
        st.sampled_from(["today", "before_today", "after_today"]),
    )
    period = st.builds(
        lambda f, *v: Line(field=f, operator="in_period", values=v),
        st.sampled_from(dates),
        st.sampled_from(["this", "next", "last"]),
        st.integers(1, 60),
        st.sampled_from(["day", "week", "month", "year"]),
    )
    anniversary = st.builds(
        lambda f, n: Line(field=f, operator="anniversary_in", values=(n,)),
        st.sampled_from(dates),
        st.sampled_from([0, 7, 38, 97, 364, 365]),
    )
    bools = st.builds(
        lambda f, o: Line(field=f, operator=o),
        st.sampled_from(
            ["contact.former_employee", "contact.custom.vip", "consent.e-marketing", w.keys["subscription"]]
        ),
        st.sampled_from(["yes", "no"]),
    )
    chosen = st.sampled_from(
        [
            ("contact.category", "category"),
            ("contact.our_contact", "user"),
            ("contact.interests", "interest"),
            ("contact.selections", "selection"),
            ("contact.projects", "project"),
            ("contact.custom.tier", "tier"),
        ]
    ).flatmap(
        lambda pair: st.builds(
            lambda o, v: Line(field=pair[0], operator=o, values=tuple(v)),
            st.sampled_from(["one_of", "not_one_of", "all_of"]),
            st.lists(st.sampled_from(w.ids[pair[1]]), min_size=1, max_size=3, unique=True),
        )
    )
    codes = st.builds(
        lambda f, o, v: Line(field=f, operator=o, values=tuple(v)),
        st.sampled_from(["contact.country", "company.country"]),
        st.sampled_from(["one_of", "not_one_of", "all_of"]),
        st.lists(st.sampled_from(["NO", "DE", "SE"]), min_size=1, unique=True),
    )
    empty = st.builds(
        lambda f, o: Line(field=f, operator=o),
        st.sampled_from([key for key, v in next(iter(w.people.values())).items() if not isinstance(v, bool)]),
        st.sampled_from(["is_empty", "is_set"]),
    )
    return st.one_of(text, number, date, relative, period, anniversary, bools, chosen, codes, empty)


def trees(w: World) -> st.SearchStrategy[Criteria]:
    """Criteria of up to three groups, nested up to three deep."""

    def grow(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Criteria]:
        groups = st.lists(
            st.builds(lambda p: Group(lines=tuple(p)), st.lists(parts, min_size=1, max_size=3)),
            min_size=1,
            max_size=3,
        )
        return st.builds(lambda g: Criteria(groups=tuple(g)), groups)

    one = lines(w)
    return grow(st.one_of(one, grow(one), grow(st.one_of(one, grow(one)))))


def tree_holds(criteria: Criteria, person: dict[str, Any]) -> bool:
    """Judge a tree as a person would."""
    return any(
        all(holds(p, person) if isinstance(p, Line) else tree_holds(p, person) for p in group.lines)
        for group in criteria.groups
    )


def test_sql_agrees_with_the_naive_reading(world: World) -> None:
    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(trees(world))
    def check(criteria: Criteria) -> None:
        expected = {pk for pk, person in world.people.items() if tree_holds(criteria, person)}
        assert matches(criteria) == expected
        failures = first_failure(criteria, contact_ids=list(world.people), now=NOW, zone=OSLO)
        assert set(failures) == set(world.people) - expected

    check()


def test_every_line_alone_agrees_with_the_naive_reading(world: World) -> None:
    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(lines(world))
    def check(line: Line) -> None:
        expected = {pk for pk, person in world.people.items() if holds(line, person)}
        assert matches(Criteria(groups=(Group(lines=(line,)),))) == expected

    check()


def test_empty_criteria_match_everyone(world: World) -> None:
    assert matches(Criteria()) == set(world.people)


@pytest.fixture
def no_rows(bare: Tenant) -> Iterator[None]:
    yield
    assert not Contact.objects.exists()


def test_values_are_bound_never_written_into_the_sql(no_rows: None) -> None:
    evil = "'); DROP TABLE crm_contact; --"
    criteria = Criteria(
        groups=(Group(lines=(Line(field="contact.job_title", operator="is", values=(evil,)),)),)
    )
    compiled = compile_criteria(criteria, now=NOW, zone=OSLO)
    assert "DROP" not in compiled.sql
    assert matches(criteria) == set()
