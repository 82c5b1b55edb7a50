"""Short verbs for tests of sales and requests."""

from __future__ import annotations

from typing import Any

from crm.bulk import NewRequest, NewSale
from crm.models import (
    Contact,
    Event,
    Request,
    Sale,
    SaleStage,
    SaleType,
)
from crm.operations import requests, sales
from tests.crm.conftest import NOW
from tests.fixtures.people import Person

TODAY = NOW.date()


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
