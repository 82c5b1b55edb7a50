"""Set-based writers: what they change, what they leave alone, which events they write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Tenant, User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm import bulk
from crm.bulk import Change
from crm.events import Origin
from crm.models import Contact, ContactFieldValue, CustomField, Event, EventInbox, SearchWord, Selection
from tests.crm.conftest import NOW, make_company, make_contact, make_item


def update(contacts: Sequence[Contact], *changes: Change, **more: Any) -> bulk.UpdateResult:
    """Make changes as a flow does."""
    with raw_cursor() as cursor:
        return bulk.update_fields(
            cursor,
            tenant_id=require_tenant_id(),
            contact_ids=[contact.pk for contact in contacts],
            changes=changes,
            now=NOW,
            origin=Origin.FLOW,
            **more,
        )


def changes_of(contact: Contact) -> list[dict[str, Any]]:
    """Return the changes of the contact's only event."""
    event = Event.objects.get(contact_id=contact.pk, kind="contact.updated")
    found: list[dict[str, Any]] = event.data["changes"]
    return found


@pytest.mark.parametrize(
    ("action", "values", "new"),
    [
        ("set", ("Cook",), "Cook"),
        ("clear", (), ""),
        ("replace", ("chef", "cook"), "Head cook"),
        ("append", (" (night)",), "Head chef (night)"),
    ],
)
def test_text_actions(bare: Tenant, action: str, values: tuple[str, ...], new: str) -> None:
    contact = make_contact(job_title="Head chef")
    result = update([contact], Change("contact.job_title", action, values))
    contact.refresh_from_db()
    assert (contact.job_title, result.changed) == (new, [contact.pk])
    assert changes_of(contact) == [{"field": "contact.job_title", "old": "Head chef", "new": new}]
    assert EventInbox.objects.count() == 1


@pytest.mark.parametrize(
    ("action", "values", "new"),
    [
        ("set", ("7.5",), Decimal("7.5")),
        ("set", ("0",), Decimal(0)),
        ("add", ("5",), Decimal(15)),
        ("subtract", ("2.5",), Decimal("7.5")),
        ("clear", (), None),
    ],
)
def test_number_actions_on_a_custom_field(
    bare: Tenant, action: str, values: tuple[str, ...], new: Decimal | None
) -> None:
    field = CustomField.objects.create(on="contact", key="score", name="Score", type="number")
    contact = make_contact(last_name="Ek")
    ContactFieldValue.objects.create(contact=contact, field=field, value_number=10)
    update([contact], Change("contact.custom.score", action, values))
    row = ContactFieldValue.objects.filter(contact=contact).first()
    assert (row.value_number if row else None) == new


def test_dates_are_set_relative_to_today_in_the_zone(bare: Tenant) -> None:
    contact = make_contact(last_name="Ek")
    update([contact], Change("contact.date_of_birth", "today", (-3,)))
    contact.refresh_from_db()
    assert contact.date_of_birth == dt.date(2026, 11, 20)


def test_interests_are_added_removed_and_replaced(bare: Tenant) -> None:
    events, offers, webinars = (make_item("interest", name).pk for name in ("Events", "Offers", "Webinars"))
    contact = make_contact(last_name="Ek")
    for action, values, expected in (
        ("add", (events, offers), {events, offers}),
        ("remove", (offers,), {events}),
        ("replace", (webinars,), {webinars}),
        ("clear", (), set()),
    ):
        update([contact], Change("contact.interests", action, values))
        assert set(contact.interests.values_list("item_id", flat=True)) == expected


def test_toggle_and_nothing_changed_writes_no_event(bare: Tenant) -> None:
    contact = make_contact(last_name="Ek", job_title="Chef")
    assert update([contact], Change("contact.job_title", "set", ("Chef",))).changed == []
    assert not Event.objects.exists()
    update([contact], Change("contact.former_employee", "toggle"))
    contact.refresh_from_db()
    assert contact.former_employee is True


def test_category_of_a_colleague_changes_the_company_and_all_colleagues(bare: Tenant) -> None:
    prospect, customer = make_item("category", "Prospect"), make_item("category", "Customer")
    company = make_company("Ek AS", category=prospect)
    ann, bo, cy = (make_contact(last_name=name, company=company) for name in ("Ann", "Bo", "Cy"))
    alone = make_contact(last_name="Alone", category=prospect)
    result = update([ann, alone], Change("contact.category", "set", (customer.pk,)))
    company.refresh_from_db()
    alone.refresh_from_db()
    assert (company.category_id, alone.category_id) == (customer.pk, customer.pk)
    assert result.changed == [ann.pk, bo.pk, cy.pk, alone.pk]
    line = {"field": "contact.category", "old": prospect.pk, "new": customer.pk}
    assert changes_of(cy) == [{**line, "company": True}]
    assert changes_of(alone) == [line]


def test_company_fields_are_skipped_and_noted_without_a_company(bare: Tenant) -> None:
    alone = make_contact(last_name="Alone")
    result = update([alone], Change("company.country", "set", ("NO",)))
    assert (result.changed, result.skipped) == ([], {alone.pk: ["Company country"]})


def test_a_number_on_the_company_grows_once_for_each_contact_whatever_the_batch(bare: Tenant) -> None:
    CustomField.objects.create(on="company", key="leads", name="Leads", type="number")
    company = make_company("Ek AS")
    people = [make_contact(last_name=str(n), company=company) for n in range(3)]
    update(people, Change("company.custom.leads", "add", (2,)))
    assert company.field_values.get().value_number == 6


def test_a_new_name_and_address_are_found_by_search_at_once(bare: Tenant) -> None:
    contact = make_contact(first_name="Ann", last_name="Old", email="old@x.test")
    update(
        [contact],
        Change("contact.last_name", "set", ("Nørgård",)),
        Change("contact.email", "set", ("Ann@Ny.test",)),
    )
    contact.refresh_from_db()
    assert (contact.name_norm, contact.email_norm) == ("ann nørgård", "ann@ny.test")
    assert set(SearchWord.objects.values_list("word", flat=True)) == {
        "ann",
        "nørgård",
        "ny",
        "test",
        "ann@ny.test",
    }


@pytest.mark.parametrize(
    "change",
    [
        Change("contact.nothing", "set", ("x",)),
        Change("contact.email", "set", ("a@b@c.test",)),
        Change("contact.email", "set", ("a@b.test\nBcc: evil@x.test",)),
        Change("contact.date_of_birth", "set", ("31/02/1980",)),
        Change("contact.job_title", "add", ("x",)),
        Change("contact.category", "set", (4711,)),
        Change("company.website", "set", ("javascript:alert(1)",)),
    ],
)
def test_bad_changes_are_refused_before_anything_is_written(bare: Tenant, change: Change) -> None:
    contact = make_contact(last_name="Ek")
    with pytest.raises(bulk.BadChange):
        update([contact], Change("contact.job_title", "set", ("Boss",)), change)
    contact.refresh_from_db()
    assert (contact.job_title, Event.objects.count()) == ("", 0)
    assert bulk.change_problems(change)


def test_a_list_value_of_another_list_is_refused(bare: Tenant) -> None:
    interest = make_item("interest", "Events")
    contact = make_contact(last_name="Ek")
    with pytest.raises(bulk.BadChange):
        update([contact], Change("contact.category", "set", (interest.pk,)))


def test_only_new_members_are_added_and_told(bare: Tenant, anna: User) -> None:
    selection = Selection.objects.create(name="VIP", created_at=NOW)
    a, b = make_contact(last_name="A"), make_contact(last_name="B")
    with raw_cursor() as cursor:
        common: dict[str, Any] = {"tenant_id": bare.pk, "selection_id": selection.pk, "now": NOW}
        first = bulk.add_to_selection(cursor, contact_ids=[a.pk], origin=Origin.USER, **common)
        both = bulk.add_to_selection(cursor, contact_ids=[b.pk, a.pk, 999], origin=Origin.BULK, **common)
        gone = bulk.remove_from_selection(cursor, contact_ids=[a.pk], origin=Origin.USER, **common)
    assert (first, both, gone) == ([a.pk], [b.pk], [a.pk])
    assert list(Event.objects.order_by("id").values_list("kind", "contact_id", "object_id")) == [
        ("selection.added", a.pk, selection.pk),
        ("selection.added", b.pk, selection.pk),
        ("selection.removed", a.pk, selection.pk),
    ]


class Counting:
    """A cursor that counts what is executed."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.count = 0

    def execute(self, *args: Any) -> Any:
        """Count and pass on."""
        self.count += 1
        return self.cursor.execute(*args)

    def fetchall(self) -> Any:
        """Pass on."""
        return self.cursor.fetchall()


def test_fifty_contacts_cost_the_same_three_statements_as_one(bare: Tenant) -> None:
    people = [make_contact(last_name=str(n)) for n in range(50)]
    for several in (people[:1], people[1:]):
        with raw_cursor() as raw:
            cursor: Any = Counting(raw)
            bulk.update_fields(
                cursor,
                tenant_id=bare.pk,
                contact_ids=[contact.pk for contact in several],
                changes=[Change("contact.job_title", "set", ("Chef",))],
                now=NOW,
                origin=Origin.BULK,
            )
        assert cursor.count == 3  # read and lock, write, events
