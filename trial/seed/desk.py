"""The demo's sales and requests: the desks of an outdoor wholesaler, filled by the operations that users use."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.models import Group, User
from crm.bulk import NewRequest, NewSale
from crm.models import Contact, RequestCategory, RequestPriority, RequestType, SaleStage
from crm.operations import requests, sales
from crm.operations.choices import KINDS, save_choice


@dataclass(frozen=True)
class Deal:
    """A sale as it is drawn: made so many days ago, by now at a stage, and perhaps ended so many days ago."""

    title: str
    kind: str
    stage: str
    amount: int
    currency: str
    ago: int
    end: str = ""
    ended: int = 0
    reason: str = ""


DEALS = (
    Deal("12 touring kayaks for the spring season", "New business", "Proposal", 94_800, "NOK", 18),
    Deal("Rental fleet renewal 2027", "Renewal", "Offer sent", 186_000, "NOK", 25),
    Deal("Winter tents, first order", "New business", "Negotiation", 12_400, "EUR", 33),
    Deal("Head torches for guides", "Additional sale", "Proposal", 2_150, "EUR", 9),
    Deal("Season contract, paddles and vests", "Renewal", "Confirmed", 41_300, "SEK", 40, "sell", 6),
    Deal(
        "Sleeping bags for the hut chain", "New business", "Verbal agreement", 58_900, "EUR", 62, "sell", 14
    ),
    Deal("Branded rain jackets", "Additional sale", "Negotiation", 7_750, "EUR", 21, "sell", 2),
    Deal("Snowshoes, 40 pairs", "New business", "Qualified", 9_600, "EUR", 48, "lose", 11, "Price"),
    Deal("Climbing hall start package", "New business", "Lead", 23_000, "EUR", 55, "lose", 30, "Went local"),
    Deal(
        "Online shop assortment",
        "New business",
        "Qualified",
        15_000,
        "EUR",
        37,
        "stall",
        8,
        "Budget in spring",
    ),
    Deal("Trekking poles, trial order", "Additional sale", "Idea", 1_280, "EUR", 3),
    Deal("Rucksacks for the summer camp", "New business", "Lead", 6_400, "GBP", 1),
)


@dataclass(frozen=True)
class Asked:
    """A request as it is drawn."""

    title: str
    kind: str
    category: str
    priority: str
    message: str
    ago: int
    answer: str = ""
    closed: bool = False


ASKED = (
    Asked(
        "Two paddles missing in delivery", "Problem", "Delivery", "High",
        "We got ten boxes, but two paddles are not in them. The season opens on Saturday.", 2,
        "Sorry! They go out with the courier today.",
    ),
    Asked(
        "Invoice address has changed", "Question", "Invoice", "Normal",
        "Please send invoices to our new office from December on.", 6, "Done, thank you.", closed=True,
    ),
    Asked(
        "Zip of the Storm jacket breaks", "Complaint", "Product", "Urgent",
        "Three of our customers came back with the same broken zip.", 1,
    ),
    Asked(
        "Which stove for minus 20?", "Question", "Product", "Normal",
        "A group of ours crosses Hardangervidda in February.", 9, "The multi-fuel one; leaflet attached.", closed=True,
    ),
    Asked(
        "Password of the dealer shop", "Problem", "Website", "Low",
        "The link in the mail has expired before I got to it.", 4,
    ),
    Asked(
        "Reorder of 30 headlamps", "Order", "General", "Normal",
        "The same as last year, please.", 0,
    ),
)  # fmt: skip


def seed_desk(*, rep: User, now: dt.datetime) -> None:
    """Give contacts of the open tenant sales and requests of their sales contacts; deliveries go to the Sales group."""
    group = Group.objects.get(name="Sales")
    rule = {"name": "Delivery", "rule": RequestCategory.Rule.GROUP, "owner_id": None, "group_id": group.pk}
    category = RequestCategory.objects.get(name="Delivery")
    save_choice(kind=KINDS["request-categories"], choice_id=category.pk, values=rule, actor=rep)
    people = Contact.objects.exclude(email="").filter(
        company__category__name__in=("Customer", "Lead", "Prospect")
    )
    some = list(people.select_related("company__our_contact").order_by("pk")[: 7 * len(DEALS) : 7])
    for deal, contact in zip(DEALS, some, strict=True):
        _sale(deal, contact.pk, _owner(contact, rep), now)
    for asked, contact in zip(ASKED, reversed(some), strict=False):
        _request(asked, contact.pk, _owner(contact, rep), now)


def _owner(contact: Contact, rep: User) -> User:
    return contact.company.our_contact or rep if contact.company else rep


def _sale(deal: Deal, contact_id: int, owner: User, now: dt.datetime) -> None:
    made = now - dt.timedelta(days=deal.ago)
    stage = SaleStage.objects.get(name=deal.stage, type__name=deal.kind)
    row = NewSale(
        contact_id, deal.title, stage.type_id, owner.pk, deal.currency, stage.pk, Decimal(deal.amount)
    )
    sale = sales.create_sale(sale=row, now=made, today=made.date(), actor_id=owner.pk)
    ended = now - dt.timedelta(days=deal.ended)
    if deal.end == "sell":
        sales.sell(sale_id=sale.pk, now=ended, actor_id=owner.pk)
    elif deal.end == "lose":
        sales.lose(sale_id=sale.pk, reason=deal.reason, now=ended, actor_id=owner.pk)
    elif deal.end == "stall":
        sales.stall(sale_id=sale.pk, reason=deal.reason, now=ended, actor_id=owner.pk)


def _request(asked: Asked, contact_id: int, owner: User, now: dt.datetime) -> None:
    made = now - dt.timedelta(days=asked.ago, hours=3)
    row = NewRequest(
        contact_id,
        asked.title,
        asked.message,
        RequestType.objects.get(name=asked.kind).pk,
        RequestCategory.objects.get(name=asked.category).pk,
        RequestPriority.objects.get(name=asked.priority).pk,
        owner_id=owner.pk if asked.answer else None,
        automatic=not asked.answer,
    )
    request = requests.register_request(request=row, now=made, actor_id=None)
    if asked.answer:
        later = made + dt.timedelta(hours=2)
        told: dict[str, Any] = {"request_id": request.pk, "now": later}
        requests.add_message(body=asked.answer, is_note=False, author=owner, **told)
        if asked.closed:
            requests.close_request(actor_id=owner.pk, **told)
