"""Pages of sales and requests: who sees them, what forms do and refuse, constant queries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Licence, Role, RoleDataRight
from accounts.rights import DataObject
from core.tenancy import tenant_scope
from crm.bulk import NewRequest, NewSale
from crm.models import (
    Event,
    Request,
    RequestCategory,
    RequestMessage,
    Sale,
    SaleStage,
    SaleType,
    SearchWord,
)
from crm.operations.contacts import create_contact
from crm.operations.erase import erase_contact
from crm.operations.requests import register_request
from crm.operations.sales import create_sale
from tests.crm.conftest import NOW, make_contact
from tests.fixtures.people import Person

Ids = dict[str, int]


@pytest.fixture
def world(alice: Person, rory: Person) -> Ids:
    """A contact of Rory's company with a sale of Alice's and one of Rory's, and a request of nobody's."""
    with tenant_scope(alice.tenant.pk):
        from crm.bulk import Change

        contact = create_contact(
            changes=[Change("contact.last_name", "set", ("Nørgård",))],
            company_name="Ek AS",
            now=NOW,
            actor_id=alice.user.pk,
        )
        kind = SaleType.objects.get(name="New business")
        ids = {"contact": contact.pk, "company": contact.company_id or 0, "type": kind.pk}
        for name, owner in (("sale", alice), ("rorys", rory)):
            row = NewSale(contact.pk, f"Kayaks of {owner.user.first_name} 🛶", kind.pk, owner.user.pk, "NOK")
            ids[name] = create_sale(sale=row, now=NOW, today=NOW.date(), actor_id=owner.user.pk).pk
        asked = register_request(request=NewRequest(contact.pk, "Where is my tent?"), now=NOW, actor_id=None)
        ids |= {"request": asked.pk, "category": asked.category_id}
        return ids


PAGES = (
    "sales/", "sales/?q=nørg&status=open&owner=mine&sort=-date&company={company}", "sales/new/",
    "sales/new/?contact={contact}", "sales/new/?company={company}", "sales/{sale}/", "requests/",
    "requests/?owner=nobody", "requests/new/", "requests/new/?contact={contact}", "requests/{request}/",
    "contacts/{contact}/sales/", "contacts/{contact}/requests/", "contacts/{contact}/timeline/",
    "companies/{company}/", "settings/sales-and-requests/", "settings/sales-and-requests/request-types/",
    "settings/sales-and-requests/request-categories/", "settings/sales-and-requests/request-priorities/",
    "settings/sales-and-requests/sale-types/{type}/",
    "settings/sales-and-requests/request-categories/{category}/",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_the_administrator_and_not_for_a_stranger(
    world: Ids, alice: Person, charlie: Person, path: str
) -> None:
    assert alice.client().get(alice.url(path.format(**world))).status_code == 200
    assert charlie.client().get(alice.url(path.format(**world))).status_code == 404
    if "{" in path and "?q" not in path:
        assert charlie.client().get(charlie.url(path.format(**world))).status_code == 404


def test_without_the_licence_there_is_no_page_no_tab_and_no_place_in_the_rail(
    world: Ids, alice: Person
) -> None:
    client = alice.client()
    contact_page = alice.url(f"contacts/{world['contact']}/")
    before = client.get(contact_page).content.decode()
    assert alice.url("sales/") in before
    assert f"{contact_page}sales/" in before
    with tenant_scope(alice.tenant.pk):
        Licence.objects.filter(code__in=["sales", "service"]).delete()
    after = client.get(contact_page).content.decode()
    assert alice.url("sales/") not in after
    assert alice.url("requests/") not in after
    assert f"{contact_page}sales/" not in after
    for path in PAGES:
        if not path.startswith(("companies", "contacts/{contact}/timeline")):
            assert client.get(alice.url(path.format(**world))).status_code == 404, path
    assert "Kayaks" not in client.get(alice.url(f"contacts/{world['contact']}/timeline/")).content.decode()
    assert "Kayaks" not in client.get(alice.url(f"companies/{world['company']}/")).content.decode()


def _limit(person: Person, kind: DataObject, **verbs: str) -> None:
    with tenant_scope(person.tenant.pk):
        role = Role.objects.get(pk=person.member.role_id)
        RoleDataRight.objects.filter(role=role, object=kind).update(**verbs)


def test_who_reads_only_the_own_sees_nothing_of_others_sales(world: Ids, rory: Person) -> None:
    _limit(rory, DataObject.SALE, read="own", update="own", create="own")
    client = rory.client()
    for path in ("sales/", f"contacts/{world['contact']}/sales/", f"contacts/{world['contact']}/timeline/"):
        text = client.get(rory.url(path)).content.decode()
        assert "Kayaks of Rory" in text, path
        assert "Kayaks of Alice" not in text, path
    assert client.get(rory.url(f"sales/{world['sale']}/")).status_code == 404
    assert client.post(rory.url(f"sales/{world['sale']}/do/"), {"do": "sell"}).status_code == 404
    assert client.post(rory.url(f"sales/{world['rorys']}/do/"), {"do": "sell"}).status_code == 302
    assert client.post(rory.url(f"sales/{world['rorys']}/delete/")).status_code == 404
    with tenant_scope(rory.tenant.pk):
        assert dict(Sale.objects.values_list("pk", "status")) == {
            world["sale"]: "open",
            world["rorys"]: "sold",
        }


def test_a_contact_out_of_reach_is_not_named_on_a_sale_within_reach(world: Ids, rory: Person) -> None:
    client = rory.client()
    assert "Kayaks" in client.get(rory.url("sales/?q=nørgård")).content.decode()
    _limit(rory, DataObject.CONTACT, read="own")
    _limit(rory, DataObject.COMPANY, read="own")
    for query in ("q=nørgård", "q=ek", f"company={world['company']}"):
        assert "Kayaks" not in client.get(rory.url(f"sales/?{query}")).content.decode(), query
    assert "Nørgård" not in client.get(rory.url("sales/")).content.decode()
    page = client.get(rory.url(f"sales/{world['sale']}/")).content.decode()
    assert "Nørgård" not in page
    assert "A contact you may not see" in page
    assert client.get(rory.url(f"sales/new/?contact={world['contact']}")).status_code == 404


def test_who_hands_a_sale_over_out_of_their_reach_lands_on_the_list(
    world: Ids, rory: Person, alice: Person
) -> None:
    _limit(rory, DataObject.SALE, read="own", update="own")
    form = sale_form(world, rory, owner_id=alice.user.pk)
    answer = rory.client().post(rory.url(f"sales/{world['rorys']}/"), form)
    assert (answer.status_code, answer["Location"]) == (302, rory.url("sales/"))


def sale_form(world: Ids, owner: Person, **more: Any) -> dict[str, Any]:
    with tenant_scope(owner.tenant.pk):
        stage = SaleStage.objects.get(name="Proposal", type=world["type"]).pk
    values = {
        "title": "Six tents",
        "kind": f"{world['type']}:{stage}",
        "amount": "1250.50",
        "currency": "NOK",
        "probability": "",
        "date": "",
        "owner_id": owner.user.pk,
        "project_id": "",
        "description": "",
    }
    return {**values, **more}


def test_a_sale_made_by_its_form_sent_twice_is_one_sale(world: Ids, alice: Person) -> None:
    client = alice.client()
    url = alice.url(f"sales/new/?contact={world['contact']}")
    key = re.search(r'name="form_key" value="([0-9a-f-]+)"', client.get(url).content.decode())
    assert key is not None
    form = sale_form(world, alice, form_key=key[1])
    first, second = client.post(url, form), client.post(url, form)
    assert first["Location"] == second["Location"]
    with tenant_scope(alice.tenant.pk):
        (sale,) = Sale.objects.filter(title="Six tents")
        assert (sale.stage and sale.stage.name, sale.probability, str(sale.amount)) == (
            "Proposal", 50, "1250.50",
        )  # fmt: skip
        assert sale.created_by == alice.user


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 201),
        ("title", "a\x00b"),
        ("amount", "-1"),
        ("amount", "1e99"),
        ("amount", "NaN"),
        ("currency", "XXX"),
        ("kind", "999999:1"),
        ("owner_id", "999999"),
        ("owner_id", "x"),
        ("project_id", "999999"),
        ("probability", "101"),
        ("date", "31.02.2027"),
    ],
)
def test_a_form_that_is_wrong_says_so_at_its_field_and_makes_nothing(
    world: Ids, alice: Person, field: str, value: str
) -> None:
    url = alice.url(f"sales/new/?contact={world['contact']}")
    answer = alice.client().post(url, sale_form(world, alice, **{field: value}))
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    with tenant_scope(alice.tenant.pk):
        assert Sale.objects.count() == 2


def test_ids_of_another_tenant_are_no_choice(world: Ids, alice: Person, charlie: Person) -> None:
    with tenant_scope(charlie.tenant.pk):
        kind = SaleType.objects.earliest("pk")
        category = RequestCategory.objects.earliest("pk").pk
        theirs = make_contact(first_name="Theirs").pk
        foreign_stage = f"{kind.pk}:{kind.stages.earliest('pk').pk}"
    client = alice.client()
    url = alice.url(f"sales/new/?contact={world['contact']}")
    for more in ({"kind": foreign_stage}, {"owner_id": charlie.user.pk}):
        assert client.post(url, sale_form(world, alice, **more)).status_code == 422
        assert (
            client.post(alice.url(f"sales/{world['sale']}/"), sale_form(world, alice, **more)).status_code
            == 422
        )
    assert client.get(alice.url(f"sales/new/?contact={theirs}")).status_code == 404
    assert client.get(alice.url(f"sales/new/?company={10**17}")).status_code == 404
    assert (
        client.post(
            alice.url(f"sales/{world['sale']}/do/"), {"do": "stage", "stage": kind.pk}, follow=True
        ).status_code
        == 200
    )
    assert (
        client.get(alice.url(f"settings/sales-and-requests/request-categories/{category}/")).status_code
        == 404
    )
    with tenant_scope(alice.tenant.pk):
        assert Sale.objects.count() == 2
        assert Event.objects.filter(kind="sale.updated").count() == 0


def test_a_sale_is_edited_moved_and_closed_on_its_page(world: Ids, alice: Person) -> None:
    client, page = alice.client(), alice.url(f"sales/{world['sale']}/")
    assert client.post(page, sale_form(world, alice, date="2027-03-01")).status_code == 302
    with tenant_scope(alice.tenant.pk):
        last = SaleStage.objects.get(name="Verbal agreement").pk
    assert client.post(f"{page}do/", {"do": "stage", "stage": last}).status_code == 302
    assert client.post(f"{page}do/", {"do": "lose", "reason": "Price <b>"}).status_code == 302
    assert client.post(f"{page}do/", {"do": "bake"}).status_code == 404
    text = client.get(page).content.decode()
    assert "Price &lt;b&gt;" in text
    with tenant_scope(alice.tenant.pk):
        sale = Sale.objects.get(pk=world["sale"])
        assert (sale.title, str(sale.date), sale.status, sale.stage_id) == (
            "Six tents", "2027-03-01", "lost", last,
        )  # fmt: skip
    told = client.get(alice.url(f"contacts/{world['contact']}/timeline/?of=sale")).content.decode()
    assert "Sale lost: Six tents" in told
    assert "Stage: Proposal → Verbal agreement" in told


def test_a_request_is_registered_answered_taken_and_closed(world: Ids, alice: Person) -> None:
    client = alice.client()
    with tenant_scope(alice.tenant.pk):
        asked = Request.objects.get(pk=world["request"])
    form = {
        "title": "Broken paddle",
        "type_id": asked.type_id,
        "category_id": asked.category_id,
        "priority_id": asked.priority_id,
        "owner": "nobody",
        "message": "It broke <script>",
    }
    made = client.post(alice.url(f"requests/new/?contact={world['contact']}"), form)
    page = made["Location"]
    assert client.post(f"{page}message/", {"body": "Sent a new one", "is_note": "on"}).status_code == 302
    assert client.post(f"{page}message/", {"body": " "}).status_code == 422
    assert client.post(f"{page}do/", {"do": "take"}).status_code == 302
    assert client.post(f"{page}do/", {"do": "close"}).status_code == 302
    text = client.get(page).content.decode()
    assert "It broke &lt;script&gt;" in text
    with tenant_scope(alice.tenant.pk):
        request = Request.objects.get(title="Broken paddle")
        assert (request.status, request.owner) == ("closed", alice.user)
        assert list(RequestMessage.objects.values_list("kind", "body")) == [
            ("message", "It broke <script>"),
            ("note", "Sent a new one"),
        ]


def test_an_erased_contact_does_not_break_the_pages_of_its_sales_and_requests(
    world: Ids, alice: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        erase_contact(contact_id=world["contact"], now=NOW, actor=alice.user)
        assert SearchWord.objects.filter(kind__in=["sale", "request"]).count() == 0
    client = alice.client()
    for path in ("sales/", f"sales/{world['sale']}/", "requests/", f"requests/{world['request']}/"):
        answer = client.get(alice.url(path))
        assert answer.status_code == 200
    assert "Erased contact" in client.get(alice.url(f"sales/{world['sale']}/")).content.decode()
    answer = client.post(alice.url(f"sales/{world['sale']}/do/"), {"do": "sell"})
    assert answer.status_code == 302


def test_lists_are_edited_by_an_administrator(world: Ids, alice: Person) -> None:
    client, base = alice.client(), alice.url("settings/sales-and-requests/")
    added = client.post(f"{base}sale-types/", {"name": "Rental", "default_days": "7"})
    assert added.status_code == 302
    assert client.post(f"{base}sale-types/", {"name": "Rental", "default_days": "7"}).status_code == 422
    with tenant_scope(alice.tenant.pk):
        rental = SaleType.objects.get(name="Rental")
    stages = alice.url(f"settings/sale-types/{rental.pk}/stages/")
    assert client.post(stages, {"name": "Booked", "probability": "80"}).status_code == 302
    assert client.post(stages, {"name": "Booked", "probability": "101"}).status_code == 422
    with tenant_scope(alice.tenant.pk):
        booked = rental.stages.get()
    assert client.post(f"{base}sale-stages/{booked.pk}/do/", {"do": "retire"}).status_code == 302
    assert client.post(f"{base}sale-types/{rental.pk}/do/", {"do": "up"}).status_code == 302
    rule = {"name": "Delivery", "rule": "user", "owner_id": ""}
    category = f"{base}request-categories/{world['category']}/"
    assert client.post(category, rule).status_code == 422
    assert client.post(category, {**rule, "owner_id": alice.user.pk}).status_code == 422  # the name is taken
    assert client.post(category, {**rule, "name": "All", "owner_id": alice.user.pk}).status_code == 302
    kept = client.post(f"{base}sale-types/{world['type']}/do/", {"do": "delete"}, follow=True)
    assert "Retire it instead" in kept.content.decode()
    with tenant_scope(alice.tenant.pk):
        assert list(SaleType.objects.values_list("name", flat=True)) == [
            "New business", "Additional sale", "Rental", "Renewal",
        ]  # fmt: skip
        assert RequestCategory.objects.get(name="All").owner == alice.user


def test_queries_stay_the_same_however_many_sales_and_requests(world: Ids, alice: Person) -> None:
    client = alice.client()
    urls = [
        alice.url(path.format(**world))
        for path in ("sales/", "requests/", "contacts/{contact}/sales/", "companies/{company}/")
    ]

    def counts() -> list[int]:
        found = []
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(url).status_code == 200
            found.append(len(captured))
        return found

    before = counts()
    with tenant_scope(alice.tenant.pk):
        for number in range(12):
            contact = make_contact(first_name=f"N{number}", company_id=world["company"])
            for owner in (alice, alice):
                row = NewSale(contact.pk, f"S{number}", world["type"], owner.user.pk, "NOK")
                create_sale(sale=row, now=NOW, today=NOW.date(), actor_id=None)
            register_request(request=NewRequest(contact.pk, "R"), now=NOW, actor_id=None)
    assert counts() == before
