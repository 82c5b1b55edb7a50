"""A contact that moves to another company has its values from then on: waits, triggers and the timeline hear of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from core.db.cursors import raw_cursor
from crm.bulk import Change, update_fields
from crm.events import Origin
from crm.models import Company, CompanyFieldValue, Contact, CustomField, Event, ListItem
from crm.operations.contacts import edit_contact
from crm.queries.timeline import entries
from flows.document import StepNode, Trigger
from participants.intake import take_events
from participants.models import Participant
from participants.queries_story import story_of
from tests.crm.conftest import make_company
from tests.participants.conftest import DAY, NOW, World, wait
from tests.participants.test_clocks import entered, started, strike_now

RENEWAL = "company.custom.renewal"


@pytest.fixture
def renewal(world: World) -> CustomField:
    return CustomField.objects.create(on="company", key="renewal", name="Renewal", type="date")


def company(name: str, field: CustomField, day: dt.date | None, category: ListItem | None = None) -> Company:
    made = make_company(name, category=category)
    if day is not None:
        CompanyFieldValue.objects.create(company=made, field=field, value_date=day)
    return made


def moved(contact: Contact, name: str, *, at: dt.datetime = NOW) -> list[dict[str, Any]]:
    """Move a contact; return the changes that its event tells."""
    edit_contact(contact_id=contact.pk, changes=[], company_name=name, now=at)
    event = Event.objects.filter(contact_id=contact.pk, kind="contact.updated").latest("id")
    lines: list[dict[str, Any]] = event.data["changes"]
    return lines


def test_a_move_tells_everything_that_the_company_brings(world: World, renewal: CustomField) -> None:
    old = company("Aker", renewal, dt.date(2027, 1, 1), world.prospect)
    new = company("Borg", renewal, dt.date(2026, 12, 1), world.customer)
    Company.objects.filter(pk=new.pk).update(created_at=NOW - DAY, website="https://borg.test", country="NO")
    anna = world.contact("Anna", company=old, category=None)

    assert moved(anna, "Borg") == [
        {"field": "contact.company", "old": "Aker", "new": "Borg"},
        {"field": "company.name", "old": "Aker", "new": "Borg", "company": True},
        {
            "field": "contact.category",
            "old": world.prospect.pk,
            "new": world.customer.pk,
            "company": True,
        },
        {"field": "company.website", "old": "", "new": "https://borg.test", "company": True},
        {"field": "company.country", "old": "", "new": "NO", "company": True},
        {"field": "company.created_at", "old": str(NOW), "new": str(NOW - DAY), "company": True},
        {"field": RENEWAL, "old": "2027-01-01", "new": "2026-12-01", "company": True},
    ]
    [entry] = entries(list(Event.objects.filter(contact_id=anna.pk, kind="contact.updated")))
    assert entry.details == (
        "Company: Aker → Borg",
        "Category (of the company): Prospect → Customer",
        "Website (of the company): empty → https://borg.test",
        "Company country (of the company): empty → Norway",
        "Renewal (of the company): 2027-01-01 → 2026-12-01",
    )


def test_who_leaves_a_company_has_its_own_category_again(world: World, renewal: CustomField) -> None:
    anna = world.contact("Anna", company=company("Aker", renewal, None, world.customer))
    lines = moved(anna, "")
    assert lines[0] == {"field": "contact.company", "old": "Aker", "new": None}
    assert lines[2] == {
        "field": "contact.category",
        "old": world.customer.pk,
        "new": world.prospect.pk,
        "company": True,
    }
    # The same company once more is no move.
    edit_contact(contact_id=anna.pk, changes=[], company_name="", now=NOW)
    assert Event.objects.filter(contact_id=anna.pk, kind="contact.updated").count() == 1


def test_a_wait_for_a_companys_date_is_retimed_by_a_move(world: World, renewal: CustomField) -> None:
    old = company("Aker", renewal, dt.date(2027, 1, 1))
    company("Borg", renewal, dt.date(2026, 12, 1))
    company("Cirk", renewal, None)
    node = StepNode(kind="wait_for_time", title="Renewal", settings={"mode": "field", "field": RENEWAL})
    people = [world.contact(name, company=old) for name in ("Anna", "Ben", "Cid")]
    flow = world.flow(node)
    world.suggest(flow, *people)
    world.advance(flow)
    new_year = dt.datetime(2027, 1, 1, 9, tzinfo=dt.UTC)
    assert [world.one(flow, one).waits_until for one in people] == [new_year] * 3

    moved(people[0], "Borg")
    moved(people[2], "Cirk")
    assert take_events(tenant_id=world.tenant.pk, now=world.now).flows == {flow.pk}
    world.advance(flow)

    anna, ben, cid = (world.one(flow, one) for one in people)
    assert (anna.waits_until, ben.waits_until) == (dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC), new_year)
    # A company without that date: there is nothing to wait for.
    assert (anna.status, ben.status, cid.status) == ("active", "active", "finished")


@pytest.mark.parametrize(
    ("field", "entered_by_moving"), [("contact.category", True), ("company.phone", False)]
)
def test_a_trigger_on_a_companys_value_hears_a_move(
    world: World, renewal: CustomField, field: str, entered_by_moving: bool
) -> None:
    anna = world.contact("Anna", company=company("Aker", renewal, None, world.prospect))
    company("Borg", renewal, None, world.customer)
    trigger = Trigger(kind="contact_updated", settings={"fields": [{"field": field}]})
    flow = world.flow(wait(1), triggers=(trigger,))
    moved(anna, "Borg")
    take_events(tenant_id=world.tenant.pk, now=world.now)
    assert Participant.objects.filter(flow_id=flow.pk).exists() is entered_by_moving


def test_a_companys_date_brings_all_its_people_and_not_who_came_to_it_too_late(
    world: World, renewal: CustomField
) -> None:
    # Monday 23 November 2026, 12:00; tomorrow at 09:00 is three days before the renewal.
    day = dt.date(2026, 11, 27)
    aker = company("Aker", renewal, day)
    other = company("Borg", renewal, None)
    for name in ("Anna", "Ben"):
        world.contact(name, company=aker)
    late, set_late = world.contact("Late", company=other), company("Cirk", renewal, None)
    world.contact("Told later", company=set_late)
    world.contact("Alone")
    settings = {"field": RENEWAL, "offset_days": -3}
    flow = started(world, Trigger(kind="date_in_field", settings=settings))
    world.now = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
    moved(late, "Aker", at=world.now)
    someone = Contact.objects.get(first_name="Told later")
    with raw_cursor() as cursor:
        update_fields(
            cursor,
            tenant_id=world.tenant.pk,
            contact_ids=[someone.pk],
            changes=[Change(RENEWAL, "set", (day.isoformat(),))],
            now=world.now,
            origin=Origin.USER,
        )

    strike_now(world, flow)

    # Enrolled by one statement, in no order.
    assert sorted(entered(flow)) == ["Anna", "Ben"]
    person = Participant.objects.filter(flow_id=flow.pk).first()
    assert person is not None
    assert person.event_data == {"kind": "date", "field": RENEWAL, "date": "2026-11-27"}


def test_the_page_says_which_changes_were_left_out(world: World, renewal: CustomField) -> None:
    company("Borg", renewal, None)
    homeless = world.contact("Homeless")
    settled = world.contact("Settled", company=company("Aker", renewal, None), category=None)
    lines = [
        {"field": "company.name", "action": "set", "values": ["Borg"]},
        {"field": "company.country", "action": "set", "values": ["NO"]},
    ]
    flow = world.flow(StepNode(kind="update_contact", title="Change", settings={"lines": lines}))
    world.suggest(flow, homeless, settled)
    world.advance(flow)

    def told(contact: Contact) -> str:
        story = story_of(flow=flow, participant=world.one(flow, contact), now=world.now)
        return next(visit.detail for visit in story.visits if visit.title == "Change")

    assert told(homeless) == (
        "Not changed: Company name (the contact has no company), Company country (the contact has no company)."
    )
    assert told(settled) == "Not changed: Company name (another company is called “Borg”)."
    assert Company.objects.get(name="Aker").country == "NO"


def test_a_wait_for_the_last_change_is_retimed_by_every_own_change(
    world: World, renewal: CustomField
) -> None:
    aker = company("Aker", renewal, dt.date(2027, 1, 1))
    anna = world.contact("Anna", company=aker)
    settings = {"mode": "field", "field": "contact.updated_at", "offset_days": 10}
    flow = world.flow(StepNode(kind="wait_for_time", title="Quiet", settings=settings))
    world.suggest(flow, anna)
    world.advance(flow)
    assert world.one(flow, anna).waits_until == dt.datetime(2026, 12, 3, 9, tzinfo=dt.UTC)

    def change(key: str, value: str) -> set[int]:
        with raw_cursor() as cursor:
            update_fields(
                cursor,
                tenant_id=world.tenant.pk,
                contact_ids=[anna.pk],
                changes=[Change(key, "set", (value,))],
                now=world.now,
                origin=Origin.USER,
            )
        return take_events(tenant_id=world.tenant.pk, now=world.now).flows

    world.now += 4 * DAY
    assert change(RENEWAL, "2027-02-01") == set()
    assert change("contact.job_title", "Chef") == {flow.pk}
    world.advance(flow)
    assert world.one(flow, anna).waits_until == dt.datetime(2026, 12, 7, 9, tzinfo=dt.UTC)
