"""Why success was met, or is not yet: the criterion with the event or the value that was seen."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from crm.bulk import Change
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact, SaleType
from crm.operations.contacts import edit_contact
from crm.operations.setup_desk import set_up_desk
from flows.document import FlowDocument, SuccessCriterion
from flows.models import Flow
from participants.intake import take_events
from participants.models import Participant
from participants.queries_story import story_of
from tests.crm.conftest import make_company
from tests.participants.conftest import World, update, wait, when

HOUR = dt.timedelta(hours=1)


def criterion(kind: str, criteria: Any = None, **settings: Any) -> SuccessCriterion:
    return SuccessCriterion(kind=kind, criteria=criteria, settings=settings)


def inside(world: World, *success: SuccessCriterion, **fields: Any) -> tuple[Flow, Contact]:
    anna = world.contact("Anna", **fields)
    flow = world.flow(wait(5), success=success)
    world.suggest(flow, anna)
    world.advance(flow)
    return flow, anna


def seen(world: World, flow: Flow, contact: Contact) -> list[tuple[str, bool, str]]:
    story = story_of(flow=flow, participant=world.one(flow, contact), now=world.now)
    return [(one.text, one.met, one.seen) for one in story.success]


def outside(world: World, contact: Contact, name: str, **more: Any) -> None:
    world.now += HOUR
    record_events(
        [NewEvent("outside", contact.pk, world.now, Origin.API, object_key=name, data={"name": name}, **more)]
    )
    take_events(tenant_id=world.tenant.pk, now=world.now)


def test_an_event_is_told_that_counted_and_what_is_missing_before(world: World) -> None:
    flow, anna = inside(
        world,
        criterion("criteria", when("contact.category", "one_of", world.customer.pk)),
        criterion("outside_event", name="paid"),
    )
    rule = "Category is one of Customer"
    assert seen(world, flow, anna) == [
        (rule, False, f"“{rule}” does not hold: the value is “Prospect”"),
        ("Event from outside: “paid”", False, "has not happened since entering"),
    ]
    outside(world, anna, "paid")
    assert world.one(flow, anna).success_at == world.now
    assert seen(world, flow, anna) == [
        ("Event from outside: “paid”", True, "Event from outside: paid"),
    ]


def test_a_state_is_told_with_the_value_that_holds(world: World) -> None:
    flow, anna = inside(
        world,
        criterion("criteria", when("contact.category", "one_of", world.customer.pk)),
        criterion("outside_event", name="paid"),
    )
    world.now += HOUR
    change = Change("contact.category", "set", (world.customer.pk,))
    edit_contact(contact_id=anna.pk, changes=[change], now=world.now)
    take_events(tenant_id=world.tenant.pk, now=world.now)
    assert seen(world, flow, anna) == [
        ("Category is one of Customer", True, "then Category: “Customer”"),
    ]
    # What held then need not hold now, nor be a criterion any more: what was seen stays.
    back = Change("contact.category", "set", (world.prospect.pk,))
    edit_contact(contact_id=anna.pk, changes=[back], now=world.now + HOUR)
    document = FlowDocument.model_validate(flow.revisions.get(number=1).document)
    world.save(flow, document.model_copy(update={"success": (criterion("outside_event", name="other"),)}))
    flow.refresh_from_db()
    assert seen(world, flow, anna) == [("Category is one of Customer", True, "then Category: “Customer”")]
    assert world.one(flow, anna).success_values == {
        "revision": 1,
        "met": [str(document.success[0].id)],
        "seen": {"contact.category": "Customer"},
    }


def test_the_engines_own_mark_keeps_what_a_step_of_the_batch_made_true(world: World) -> None:
    anna = world.contact("Anna")
    rule = when("contact.job_title", "contains", "chef")
    flow = world.flow(
        update("contact.job_title", "set", "Head chef"),
        update("contact.job_title", "set", "Retired"),
        success=(criterion("criteria", rule), criterion("criteria", when("contact.first_name", "is", "xx"))),
    )
    world.suggest(flow, anna)
    world.advance(flow)
    assert seen(world, flow, anna) == [("Job title contains “chef”", True, "then Job title: “Head chef”")]


def test_true_at_enrolment_is_kept_too_and_a_mark_of_older_days_is_told_as_it_is_now(world: World) -> None:
    anna, ben = world.contact("Anna", category=world.customer), world.contact("Ben", category=world.customer)
    rule = criterion("criteria", when("contact.category", "one_of", world.customer.pk))
    flow = world.flow(wait(5), success=(rule,))
    world.suggest(flow, anna, ben)
    assert seen(world, flow, anna) == [("Category is one of Customer", True, "then Category: “Customer”")]
    Participant.objects.update(success_values=None)
    assert seen(world, flow, ben) == [("Category is one of Customer", True, "now Category: “Customer”")]
    Contact.objects.update(category=world.prospect)
    assert seen(world, flow, ben) == [
        ("What counted then does not hold any more, or is no criterion any more", True, "")
    ]


def test_a_colleagues_sale_counts_for_the_company_and_says_so(world: World) -> None:
    set_up_desk(tenant_id=world.tenant.pk, now=world.now)
    aker = make_company("Aker")
    flow, anna = inside(world, criterion("sale_created_on_company"), company=aker, category=None)
    colleague = world.contact("Colleague", company=aker, category=None)
    world.now += HOUR
    sale = {
        "title": "Big mill",
        "type": SaleType.objects.earliest("rank").name,
        "stage": "",
        "amount": str(Decimal(500)),
        "currency": "NOK",
    }
    event = NewEvent(
        "sale.created",
        colleague.pk,
        world.now,
        Origin.USER,
        company_id=aker.pk,
        object_id=1,
        data={"sale": sale},
    )
    record_events([event])
    take_events(tenant_id=world.tenant.pk, now=world.now)
    [(text, met, told)] = seen(world, flow, anna)
    assert (text, met) == ("Sale created on the company", True)
    assert told.startswith("Sale created: Big mill · ")
    assert "NOK 500.00" in told


def test_who_left_without_success_is_told_nothing(world: World) -> None:
    flow, anna = inside(world, criterion("outside_event", name="paid"))
    Contact.objects.filter(pk=anna.pk).update(former_employee=True)
    world.advance(flow, days=6)
    assert world.one(flow, anna).status == "dropped"
    assert seen(world, flow, anna) == []
