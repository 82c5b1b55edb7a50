"""Sales and requests in criteria: SQL agrees with counting and adding the rows in Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant, User
from crm.criteria.change import depends_on_today, event_kinds
from crm.criteria.describe import describe
from crm.criteria.explain import first_failure
from crm.criteria.fields import fields_by_key
from crm.criteria.references import references
from crm.criteria.sales_fields import REQUEST_FIELDS, SALE_FIELDS
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.validate import problems
from crm.models import Request, RequestCategory, RequestPriority, RequestType, Sale, SaleType
from crm.operations.setup_desk import set_up_desk
from tests.crm.conftest import NOW, make_contact
from tests.crm.criteria_sql import matching

ZONE = ZoneInfo("Pacific/Auckland")
DAY = dt.timedelta(days=1)


def one(field_key: str, operator: str, *values: Any, which: tuple[int, ...] = (), **more: Any) -> Criteria:
    """Criteria of one line."""
    line = Line(field=field_key, operator=operator, values=values, which=which, **more)
    return Criteria(groups=(Group(lines=(line,)),))


@dataclass
class Desk:
    """Who has which sales and requests, in plain Python."""

    people: list[int] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    types: list[int] = field(default_factory=list)


@pytest.fixture
def desk(bare: Tenant, anna: User) -> Desk:
    """Contacts with none to several sales and requests of every status."""
    set_up_desk(tenant_id=bare.pk, now=NOW)
    kinds, asked = list(SaleType.objects.all()), list(RequestType.objects.all())
    made = Desk(types=[kind.pk for kind in kinds])
    common: dict[str, Any] = {"origin": "user", "updated_at": NOW}
    for n in range(14):
        contact = make_contact(last_name=f"P{n}")
        made.people.append(contact.pk)
        for k in range(n % 5):
            at = NOW - ((n * 7 + k * 11) % 40) * DAY - dt.timedelta(hours=(n * 5 + k) % 24)
            status = Sale.Status.values[(n + k) % 4]
            closed = at + 2 * DAY if status in {"sold", "lost"} else None
            sale = Sale(
                contact=contact, owner=anna, title="S", type=kinds[(n + k) % 3], date=NOW.date(),
                currency="NOK" if (n + k) % 3 else "EUR",
                amount=Decimal(k * 100), status=status, closed_at=closed, created_at=at, **common,
            )  # fmt: skip
            made.sales.append(sale)
            state = Request.Status.values[(n + k) % 3]
            made.requests.append(
                Request(
                    contact=contact,
                    title="R",
                    type=asked[k % 2],
                    category_id=_category(k),
                    created_at=at,
                    priority_id=_priority(),
                    status=state,
                    closed_at=at if state == "closed" else None,
                    **common,
                )
            )
    Sale.objects.bulk_create(made.sales)
    Request.objects.bulk_create(made.requests)
    return made


def _category(k: int) -> int:
    return RequestCategory.objects.order_by("rank")[k % 2].pk


def _priority() -> int:
    return RequestPriority.objects.earliest("rank").pk


STATUS: dict[str, Callable[[Any], bool]] = {
    "sale.made": lambda s: True,
    "sale.open": lambda s: s.status == "open",
    "sale.sold": lambda s: s.status == "sold",
    "sale.lost": lambda s: s.status == "lost",
    "sale.stalled": lambda s: s.status == "stalled",
    "sale.amount_open": lambda s: s.status == "open",
    "sale.amount_sold": lambda s: s.status == "sold",
}
BY_END = {"sale.sold", "sale.lost", "sale.amount_sold"}


def of(desk: Desk, contact_id: int, key: str, which: tuple[int, ...], days: int | None) -> list[Sale]:
    """Return a contact's sales that a line means, as a person would."""
    since = None
    if days is not None:
        first = NOW.astimezone(ZONE).date() - days * DAY
        since = dt.datetime.combine(first, dt.time(), tzinfo=ZONE)
    return [
        sale
        for sale in desk.sales
        if sale.contact_id == contact_id
        and STATUS[key](sale)
        and (not which or sale.type_id in which)
        and (since is None or ((at := sale.closed_at if key in BY_END else sale.created_at) and at >= since))
    ]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    key=st.sampled_from(sorted(STATUS)),
    places=st.sets(st.integers(0, 2), max_size=2),
    days=st.sampled_from([None, 1, 7, 30]),
    number=st.integers(0, 3),
)
def test_counts_and_sums_agree_with_python(
    desk: Desk, key: str, places: set[int], days: int | None, number: int
) -> None:
    which = tuple(desk.types[place] for place in sorted(places))
    if "amount" in key:
        line = one(key, "ge", number * 100, which=which, days=days, currency="NOK")
        sums = {
            p: sum((s.amount for s in of(desk, p, key, which, days) if s.currency == "NOK"), Decimal(0))
            for p in desk.people
        }
        wanted = [p for p, amount in sums.items() if amount >= number * 100]
    else:
        line = one(key, "exactly", number, which=which, days=days)
        wanted = [p for p in desk.people if len(of(desk, p, key, which, days)) == number]
    assert matching(line, now=NOW, zone=ZONE) == set(wanted)


def test_requests_are_counted_by_status_type_and_category(desk: Desk) -> None:
    category = _category(0)

    def wanted(holds: Callable[[Request], bool], least: int = 1) -> set[int]:
        return {p for p in desk.people if sum(r.contact_id == p and holds(r) for r in desk.requests) >= least}

    def found(criteria: Criteria) -> set[int]:
        return matching(criteria, now=NOW, zone=ZONE)

    assert found(one("request.made", "at_least", 3)) == wanted(lambda r: True, 3)
    assert found(one("request.open", "at_least", 1)) == wanted(lambda r: r.status != "closed")
    assert found(one("request.closed", "at_least", 1)) == wanted(lambda r: r.status == "closed")
    assert found(one("request.in_category", "at_least", 2, which=(category,))) == wanted(
        lambda r: r.category_id == category, 2
    )


def test_the_last_sale_and_request_are_days_of_the_flows_zone(desk: Desk) -> None:
    today = NOW.astimezone(ZONE).date()
    border = today - 10 * DAY
    for key, rows in (("sale.last", desk.sales), ("request.last", desk.requests)):
        wanted = []
        for p in desk.people:
            own = [r.created_at.astimezone(ZONE).date() for r in rows if r.contact_id == p]
            if own and max(own) >= border:
                wanted.append(p)
        line = one(key, "between", border.isoformat(), today.isoformat())
        assert matching(line, now=NOW, zone=ZONE) == set(wanted)
        empty = [p for p in desk.people if not any(r.contact_id == p for r in rows)]
        assert matching(one(key, "is_empty"), now=NOW, zone=ZONE) == set(empty)


def test_they_are_described_checked_referenced_and_explained(desk: Desk) -> None:
    new = SaleType.objects.get(name="New business")
    line = one("sale.amount_sold", "gt", 1_000, which=(new.pk,), days=90, currency="EUR")
    assert describe(line) == "Amount of sales won (New business) in EUR > 1000 in the last 90 days"
    assert problems(line) == []
    assert list(references(line)) == [("sale_type", new.pk)]
    assert problems(one("sale.made", "at_least", 1, which=(10**9,))) != []
    assert event_kinds(line) == {
        "sale.created", "sale.updated", "sale.deleted", "sale.sold", "sale.lost", "sale.stalled", "sale.reopened",
    }  # fmt: skip
    assert depends_on_today(line)
    assert not depends_on_today(one("sale.open", "at_least", 1))
    failures = first_failure(line, contact_ids=desk.people[:1], now=NOW, zone=ZONE)
    assert [(f.field, str(f.seen)) for f in failures.values()] == [("sale.amount_sold", "0")]
    keys = [f.key for f in (*SALE_FIELDS, *REQUEST_FIELDS)]
    assert set(fields_by_key(keys)) == set(keys)
