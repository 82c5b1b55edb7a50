"""Sales: what is written, once, with the events that flows hear; what is refused."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Tenant
from core.db.cursors import raw_cursor
from crm.bulk import NewSale, create_sales
from crm.bulk.requests import UnknownRequestChoice
from crm.bulk.sales import UnknownSaleChoice
from crm.events import Origin
from crm.models import (
    Event,
    EventInbox,
    Project,
    Request,
    RequestCategory,
    Sale,
    SaleStage,
    SaleType,
    SearchWord,
)
from crm.operations import sales
from crm.operations.desk import ContactGone, NoSuchOwner
from tests.crm.conftest import NOW, make_company, make_contact
from tests.crm.desk_rows import TODAY, events, make_request, make_sale, new_sale, sale_type, stage
from tests.fixtures.people import Person
from tests.support.statements import statements


def test_a_sale_takes_stage_probability_date_and_company_from_where_they_are_kept(
    scope: Tenant, alice: Person
) -> None:
    company = make_company("Ek AS")
    sale = make_sale(make_contact(first_name="Åse", company=company), alice, amount=Decimal("1250.5"))
    assert (sale.stage, sale.probability, sale.status) == (stage("Lead"), 10, Sale.Status.OPEN)
    assert (sale.date, sale.company, sale.amount) == (TODAY + dt.timedelta(60), company, Decimal("1250.50"))
    (event,) = events("sale.created")
    assert (event.origin, event.object_id, event.company_id) == (Origin.USER, sale.pk, company.pk)
    assert event.data == {
        "sale": {
            "id": sale.pk,
            "title": "Ten kayaks",
            "type": "New business",
            "type_id": sale.type_id,
            "stage": "Lead",
            "stage_id": sale.stage_id,
            "amount": "1250.50",
            "currency": "NOK",
            "probability": 10,
            "status": "open",
            "date": "2027-01-22",
        }
    }
    assert EventInbox.objects.filter(event_id=event.pk).count() == 1
    assert set(SearchWord.objects.filter(kind="sale").values_list("word", flat=True)) == {"ten", "kayaks"}


def test_a_form_sent_twice_makes_one_sale_and_one_event(scope: Tenant, alice: Person) -> None:
    contact, key = make_contact(first_name="Åse"), uuid.uuid4()
    first = make_sale(contact, alice, form_key=key)
    assert make_sale(contact, alice, form_key=key) == first
    assert Sale.objects.count() == len(events("sale.created")) == 1
    # Gone back to and changed, it is another sale; nothing is lost.
    assert make_sale(contact, alice, form_key=key, title="Two tents") != first
    assert make_sale(make_contact(first_name="Bo"), alice, form_key=key) != first


def test_a_change_writes_what_really_changed_and_a_stage_brings_its_probability(
    scope: Tenant, alice: Person, bob: Person
) -> None:
    sale = make_sale(make_contact(first_name="Åse"), alice)
    values = {"title": " Twelve\n kayaks ", "stage_id": stage("Proposal").pk, "owner_id": bob.user.pk}
    later = NOW + dt.timedelta(hours=1)
    assert sales.update_sale(sale_id=sale.pk, values=values, now=later, actor_id=alice.user.pk)
    assert not sales.update_sale(sale_id=sale.pk, values=values, now=later, actor_id=alice.user.pk)
    sale.refresh_from_db()
    assert (sale.title, sale.probability, sale.owner, sale.updated_at) == (
        "Twelve kayaks", 50, bob.user, later,
    )  # fmt: skip
    (event,) = events("sale.updated")
    assert event.data["sale"]["stage"] == "Proposal"
    assert event.data["changed"] == {
        "title": ["Ten kayaks", "Twelve kayaks"],
        "stage": ["Lead", "Proposal"],
        "owner": ["Alice Wong", "Bob Larsen"],
        "probability": ["10", "50"],
    }
    assert set(SearchWord.objects.filter(kind="sale").values_list("word", flat=True)) == {"twelve", "kayaks"}


def test_selling_losing_stalling_and_reopening_each_write_one_event_however_often_asked(
    scope: Tenant, alice: Person
) -> None:
    sale = make_sale(make_contact(first_name="Åse"), alice)
    told = {"sale_id": sale.pk, "now": NOW, "actor_id": alice.user.pk}
    ways: list[tuple[Any, str, int, bool]] = [
        (sales.stall, "stalled", 10, False),
        (sales.sell, "sold", 100, True),
        (sales.lose, "lost", 0, True),
        (sales.reopen, "open", 10, False),
    ]
    for verb, status, probability, closed in ways:
        assert verb(**told)
        assert not verb(**told)
        sale.refresh_from_db()
        assert (sale.status, sale.probability, sale.closed_at is not None) == (status, probability, closed)
    assert [len(events(f"sale.{kind}")) for kind in ("stalled", "sold", "lost", "reopened")] == [1, 1, 1, 1]
    assert events("sale.sold")[0].data["sale"]["status"] == "sold"


def test_what_is_not_the_tenants_is_refused_before_anything_is_written(
    scope: Tenant, alice: Person, charlie: Person, foreign: dict[Any, int]
) -> None:
    contact = make_contact(first_name="Åse")
    with pytest.raises(NoSuchOwner):
        make_sale(contact, charlie)
    with pytest.raises(UnknownSaleChoice):
        make_sale(contact, alice, type_id=foreign[SaleType])
    with pytest.raises(UnknownSaleChoice):
        make_sale(contact, alice, stage_id=foreign[SaleStage])
    with pytest.raises(UnknownSaleChoice):
        make_sale(contact, alice, stage_id=stage("Due", of="Renewal").pk)
    with pytest.raises(UnknownSaleChoice):
        make_sale(contact, alice, project_id=10**9)
    with pytest.raises(ContactGone):
        sales.create_sale(
            sale=NewSale(10**9, "x", sale_type().pk, alice.user.pk, "NOK"),
            now=NOW,
            today=TODAY,
            actor_id=None,
        )
    sale = make_sale(contact, alice)
    for values in (
        {"type_id": foreign[SaleType]},
        {"stage_id": foreign[SaleStage]},
        {"project_id": 10**9},
    ):
        with pytest.raises(UnknownSaleChoice):
            sales.update_sale(sale_id=sale.pk, values=values, now=NOW, actor_id=alice.user.pk)
    with pytest.raises(UnknownRequestChoice):
        make_request(contact, alice, category_id=foreign[RequestCategory])
    with pytest.raises(NoSuchOwner):
        make_request(contact, alice, owner_id=charlie.user.pk)
    assert Sale.objects.count() == 1
    assert Request.objects.count() == 0


def test_a_deleted_project_leaves_its_sales_and_a_deleted_sale_its_words(
    scope: Tenant, alice: Person
) -> None:
    project = Project.objects.create(name="Fair", created_at=NOW)
    sale = make_sale(make_contact(first_name="Åse"), alice, project_id=project.pk)
    project.delete()
    sale.refresh_from_db()
    assert sale.project is None
    sales.delete_sale(sale_id=sale.pk, now=NOW, actor=alice.user)
    assert SearchWord.objects.filter(kind="sale").count() == 0
    (event,) = events("sale.deleted")
    assert (event.object_id, event.actor_id, event.data["sale"]["title"]) == (
        sale.pk,
        alice.user.pk,
        sale.title,
    )


def test_two_thousand_sales_are_made_in_constant_statements_in_the_order_given(
    scope: Tenant, alice: Person
) -> None:
    people = [make_contact(first_name=f"N{number}") for number in range(20)]
    erased = make_contact(deleted_at=NOW)

    def make(count: int) -> tuple[list[int | None], int]:
        rows = [new_sale(people[n % 20], alice, title=f"Sale {n} 🛶") for n in range(count)]
        rows.insert(1, new_sale(erased, alice))
        with raw_cursor() as cursor, statements() as seen:
            made = create_sales(cursor, tenant_id=scope.pk, rows=rows, now=NOW, origin=Origin.FLOW, flow_id=7)
        return made, len(seen)

    few, statements_for_few = make(2)
    many, statements_for_many = make(2_000)
    assert statements_for_few == statements_for_many == 5
    assert few[1] is None
    assert [None if i is None else Sale.objects.get(pk=i).title for i in many[:4]] == [
        "Sale 0 🛶", None, "Sale 1 🛶", "Sale 2 🛶",
    ]  # fmt: skip
    assert Event.objects.filter(kind="sale.created", flow_id=7, origin="flow").count() == 2_002
