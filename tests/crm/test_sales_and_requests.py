"""Sales and requests: what is written, once, with the events that flows hear; owners in turn; what is refused."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Tenant
from accounts.operations import create_group, delete_group
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.bulk import NewRequest, NewSale, assign_owners, create_requests, create_sales
from crm.bulk.requests import UnknownRequestChoice
from crm.bulk.sales import UnknownSaleChoice
from crm.events import Origin
from crm.models import (
    Contact,
    Event,
    EventInbox,
    Project,
    Request,
    RequestCategory,
    RequestMessage,
    RequestPriority,
    RequestType,
    Sale,
    SaleStage,
    SaleType,
    SearchWord,
    Usage,
)
from crm.operations import requests, sales
from crm.operations.choices import KINDS, SALE_TYPES, delete_choice, retire_choice, save_choice
from crm.operations.desk import ContactGone, NoSuchOwner
from crm.operations.lists import AlreadyListed, HasRecords
from crm.operations.usage import InUse
from tests.crm.conftest import NOW, make_company, make_contact
from tests.fixtures.people import MakePerson, Person
from tests.support.statements import statements

TODAY = NOW.date()


@pytest.fixture
def foreign(globex: Tenant) -> dict[Any, int]:
    """Ids of the other tenant, by model."""
    with tenant_scope(globex.pk):
        return {model: model.objects.latest("pk").pk for model in (SaleType, SaleStage, RequestCategory)}


@pytest.fixture
def scope(acme: Tenant, alice: Person, bob: Person, charlie: Person, foreign: Any) -> Iterator[Tenant]:
    """Acme with its scope open."""
    with tenant_scope(acme.pk):
        yield acme


def sale_type(name: str = "New business") -> SaleType:
    return SaleType.objects.get(name=name)


def stage(name: str, of: str = "New business") -> SaleStage:
    return SaleStage.objects.get(name=name, type__name=of)


def new_sale(contact: Contact, owner: Person, **more: Any) -> NewSale:
    values = {"title": "Ten kayaks", "type_id": sale_type().pk, "currency": "NOK", **more}
    return NewSale(contact_id=contact.pk, owner_id=owner.user.pk, **values)


def make_sale(contact: Contact, owner: Person, **more: Any) -> Sale:
    return sales.create_sale(
        sale=new_sale(contact, owner, **more), now=NOW, today=TODAY, actor_id=owner.user.pk
    )


def make_request(contact: Contact, by: Person, **more: Any) -> Request:
    row = NewRequest(contact_id=contact.pk, **{"title": "Where is my tent?", **more})
    return requests.register_request(request=row, now=NOW, actor_id=by.user.pk)


def events(kind: str) -> list[Event]:
    return list(Event.objects.filter(kind=kind).order_by("id"))


# --- sales --------------------------------------------------------------------------------------------------------


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


# --- requests -----------------------------------------------------------------------------------------------------


def test_a_request_takes_the_first_of_each_list_and_logs_its_message(scope: Tenant, alice: Person) -> None:
    RequestType.objects.filter(name="Question").update(retired=True)
    request = make_request(make_contact(first_name="Åse"), alice, message="It did not come.\x00 🙁 ")
    assert (request.type.name, request.category.name, request.priority.name) == (
        "Problem", "General", "Urgent",
    )  # fmt: skip
    (said,) = RequestMessage.objects.all()
    assert (said.body, said.request, said.at) == ("It did not come. 🙁", request, NOW)
    (event,) = events("request.created")
    assert event.data["request"] == {
        "id": request.pk,
        "title": "Where is my tent?",
        "status": "open",
        "type": "Problem",
        "type_id": request.type_id,
        "category": "General",
        "category_id": request.category_id,
        "priority": "Urgent",
        "priority_id": request.priority_id,
    }


def test_closing_and_reopening_write_one_event_each(scope: Tenant, alice: Person) -> None:
    request = make_request(make_contact(first_name="Åse"), alice)
    told: dict[str, Any] = {"request_id": request.pk, "now": NOW, "actor_id": alice.user.pk}
    assert requests.close_request(**told)
    assert not requests.close_request(**told)
    request.refresh_from_db()
    assert (request.status, request.closed_at) == ("closed", NOW)
    assert requests.reopen_request(**told)
    request.refresh_from_db()
    assert (request.status, request.closed_at) == ("open", None)
    assert not requests.reopen_request(**told)
    requests.delete_request(request_id=request.pk, now=NOW, actor=alice.user)
    told_of = [event.kind for event in Event.objects.filter(object_id=request.pk).order_by("id")]
    assert told_of == ["request.created", "request.closed", "request.reopened", "request.deleted"]


def test_the_log_takes_a_form_once_and_nothing_empty(scope: Tenant, alice: Person) -> None:
    request, key = make_request(make_contact(first_name="Åse"), alice), uuid.uuid4()
    told: dict[str, Any] = {"request_id": request.pk, "now": NOW, "author": alice.user, "is_note": True}
    first = requests.add_message(body="Ask the warehouse", form_key=key, **told)
    assert requests.add_message(body="Ask the warehouse", form_key=key, **told) == first
    with pytest.raises(requests.NothingSaid):
        requests.add_message(body=" \n\x00", **told)
    assert RequestMessage.objects.count() == 1
    assert requests.add_message(body="And the courier", form_key=key, **told) != first


@pytest.fixture
def desk(scope: Tenant, make_person: MakePerson, alice: Person) -> tuple[RequestCategory, list[int]]:
    """A category whose requests go to three people in turn; their ids in that order."""
    create_group(name="Support", actor=None)
    people = [
        make_person(scope, name, "Desk", role="Sales rep", group="Support") for name in ("Ann", "Ben", "Cid")
    ]
    category = RequestCategory.objects.get(name="Delivery")
    group_id = people[0].member.group_id
    save_choice(
        kind=KINDS["request-categories"],
        choice_id=category.pk,
        values={"name": "Delivery", "rule": "group", "owner_id": None, "group_id": group_id},
        actor=alice.user,
    )
    category.refresh_from_db()
    return category, sorted(person.user.pk for person in people)


def test_a_group_takes_turns_and_goes_on_where_it_stopped(
    scope: Tenant, alice: Person, desk: tuple[RequestCategory, list[int]]
) -> None:
    category, (ann, ben, cid) = desk
    contact = make_contact(first_name="Åse")

    def given(count: int) -> list[int | None]:
        rows = [
            NewRequest(contact.pk, f"R{n}", category_id=category.pk, automatic=True) for n in range(count)
        ]
        with raw_cursor() as cursor:
            made = create_requests(cursor, tenant_id=scope.pk, rows=rows, now=NOW, origin=Origin.FLOW)
        owners = dict(Request.objects.values_list("pk", "owner_id"))
        return [owners[i] for i in made if i]

    assert given(4) == [ann, ben, cid, ann]
    assert given(1) == [ben]
    ben_member = desk_member(ben)
    cid_member = desk_member(cid)
    cid_member.is_active = False
    cid_member.save()
    assert given(3) == [ann, ben, ann]
    ben_member.is_active = False
    ben_member.save()
    assert given(2) == [ann, ann]
    assert RequestCategory.objects.get(pk=category.pk).last_user_id == ann


def desk_member(user_id: int) -> Any:
    from accounts.models import Membership

    return Membership.objects.get(user_id=user_id)


def test_ten_thousand_requests_are_shared_evenly_in_constant_statements(
    scope: Tenant, desk: tuple[RequestCategory, list[int]]
) -> None:
    category, people = desk
    contact = make_contact(first_name="Åse")
    rows = [NewRequest(contact.pk, "R", category_id=category.pk, automatic=True) for _ in range(9_999)]
    with raw_cursor() as cursor, statements() as seen:
        create_requests(cursor, tenant_id=scope.pk, rows=rows, now=NOW, origin=Origin.FLOW)
    assert len(seen) == 10
    assert {user: Request.objects.filter(owner=user).count() for user in people} == dict.fromkeys(
        people, 3_333
    )


def test_a_group_that_is_deleted_leaves_its_categories_unassigned(
    scope: Tenant, alice: Person, desk: tuple[RequestCategory, list[int]]
) -> None:
    category, _ = desk
    group = create_group(name="Empty", actor=None)
    RequestCategory.objects.filter(pk=category.pk).update(group=group)
    delete_group(group_id=group.pk, actor=alice.user)
    category.refresh_from_db()
    assert (category.rule, category.group) == ("group", None)
    request = make_request(make_contact(first_name="Åse"), alice, category_id=category.pk, automatic=True)
    assert request.owner is None


def test_a_rule_without_anybody_leaves_the_request_unassigned(scope: Tenant, alice: Person) -> None:
    contact = make_contact(first_name="Åse")
    category = RequestCategory.objects.get(name="Invoice")
    assert make_request(contact, alice, category_id=category.pk, automatic=True).owner is None
    category.rule, category.owner = "user", alice.user
    category.save()
    request = make_request(contact, alice, category_id=category.pk, automatic=True)
    assert request.owner == alice.user
    left = make_request(contact, alice, category_id=category.pk)
    assert left.owner is None
    assert requests.assign_by_rule(request_id=left.pk, now=NOW, actor_id=alice.user.pk)
    assert not requests.assign_by_rule(request_id=left.pk, now=NOW, actor_id=alice.user.pk)
    with raw_cursor() as cursor:
        assert assign_owners(cursor, tenant_id=scope.pk, request_ids=[]) == {}


# --- lists --------------------------------------------------------------------------------------------------------


def test_what_a_sale_has_or_a_flow_uses_is_not_deleted(scope: Tenant, alice: Person) -> None:
    make_sale(make_contact(first_name="Åse"), alice)
    with pytest.raises(HasRecords):
        delete_choice(kind=SALE_TYPES, choice_id=sale_type().pk, actor=alice.user)
    renewal = sale_type("Renewal")
    use = Usage.objects.create(
        used_kind="sale_stage", used_id=stage("Due", of="Renewal").pk, user_kind="flow", user_id=1,
        user_name="Flow", url="/",
    )  # fmt: skip
    with pytest.raises(InUse):
        delete_choice(kind=SALE_TYPES, choice_id=renewal.pk, actor=alice.user)
    use.delete()
    delete_choice(kind=SALE_TYPES, choice_id=renewal.pk, actor=alice.user)
    assert SaleStage.objects.filter(type_id=renewal.pk).count() == 0


def test_a_name_stands_once_in_a_list_and_a_retired_stage_is_not_the_first(
    scope: Tenant, alice: Person
) -> None:
    with pytest.raises(AlreadyListed):
        save_choice(
            kind=KINDS["request-priorities"], choice_id=None, values={"name": " High "}, actor=alice.user
        )
    retire_choice(kind=KINDS["sale-stages"], choice_id=stage("Lead").pk, retired=True, actor=alice.user)
    assert make_sale(make_contact(first_name="Åse"), alice).stage == stage("Qualified")
    added = save_choice(
        kind=KINDS["sale-stages"],
        choice_id=None,
        values={"name": "Lead", "probability": 5},
        actor=alice.user,
        type_id=sale_type("Renewal").pk,
    )
    assert added.rank == RequestPriority.objects.count() - 1
