"""Which sales and requests a member may see: by the tenant's licence, then by their owner (own, own group, all)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.models import Licence, Membership
from accounts.reach import owners_within_reach
from accounts.rights import DataObject, Reach
from crm.events import KINDS
from crm.models import Contact, Event, FollowUp, Request, Sale
from crm.queries.diary import follow_ups_for
from crm.queries.reach import contacts_for

LICENCES = {DataObject.SALE: Licence.Code.SALES, DataObject.REQUEST: Licence.Code.SERVICE}
RELATED = ("contact", "company", "owner", "type")


def may(member: Membership, kind: DataObject, verb: str = "read") -> bool:
    """Say whether sales (requests) are licensed and the role reaches any of them (follow-ups, …) by a verb."""
    is_licensed = kind not in LICENCES or LICENCES[kind] in member.licences
    return is_licensed and member.reach(kind, verb) != Reach.NONE


def sales_for(member: Membership, verb: str = "read") -> QuerySet[Sale]:
    """Return the sales that the member may read (update, remove)."""
    if not may(member, DataObject.SALE, verb):
        return Sale.objects.none()
    owners = owners_within_reach(member, DataObject.SALE, verb)
    return Sale.objects.all() if owners is None else Sale.objects.filter(owner__in=owners)


def requests_for(member: Membership, verb: str = "read") -> QuerySet[Request]:
    """Return the requests that the member may read (update, remove); unassigned ones only who reaches all."""
    if not may(member, DataObject.REQUEST, verb):
        return Request.objects.none()
    owners = owners_within_reach(member, DataObject.REQUEST, verb)
    return Request.objects.all() if owners is None else Request.objects.filter(owner__in=owners)


def get_sale(member: Membership, sale_id: int, verb: str = "read") -> Sale:
    """Return a sale by id, or raise Http404 where the member may not."""
    related = sales_for(member, verb).select_related(*RELATED, "stage", "project", "created_by")
    found = related.filter(pk=sale_id).first()
    if found is None:
        raise Http404
    return found


def get_request(member: Membership, request_id: int, verb: str = "read") -> Request:
    """Return a request by id, or raise Http404 where the member may not."""
    related = requests_for(member, verb).select_related(*RELATED, "category", "priority", "created_by")
    found = related.filter(pk=request_id).first()
    if found is None:
        raise Http404
    return found


def seen_contacts(member: Membership, rows: Iterable[Sale | Request | FollowUp]) -> frozenset[int]:
    """Return those contacts of rows that the member may read: of the others not even the name is shown."""
    ids = {row.contact_id for row in rows if row.contact_id is not None}
    readable = contacts_for(member).filter(pk__in=ids) if ids else Contact.objects.none()
    return frozenset(readable.values_list("pk", flat=True))


def readable_events(member: Membership, events: QuerySet[Event]) -> QuerySet[Event]:
    """Leave out the events of sales, requests and follow-ups that the member may not read."""
    for kind, family, rows_for in _DESK:
        names = [one.name for one in KINDS if one.family == family]
        if not may(member, kind):
            events = events.exclude(kind__in=names)
        elif member.reach(kind, "read") != Reach.ALL:
            events = events.filter(~Q(kind__in=names) | Q(object_id__in=rows_for(member).values("pk")))
    return events


_DESK: tuple[tuple[DataObject, str, Callable[[Membership], QuerySet[Any]]], ...] = (
    (DataObject.SALE, "sale", sales_for),
    (DataObject.REQUEST, "request", requests_for),
    (DataObject.FOLLOW_UP, "follow_up", follow_ups_for),
)


def owners_for(member: Membership, kind: DataObject, verb: str) -> list[int] | None:
    """Return whom the member may make the owner of what they create; None is any active member."""
    return owners_within_reach(member, kind, verb)
