"""Which contacts and companies a member may see: all, the own group's, or the own (by "our contact").

Our contact of a contact with a company is the company's. Counts and lists go through here, never around it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.models import Membership
from accounts.reach import owners_within_reach
from accounts.rights import DataObject
from crm.models import Company, Contact


def contacts_for(member: Membership, verb: str = "read") -> QuerySet[Contact]:
    """Return the contacts that the member may read (update, remove); erased ones are never among them."""
    contacts = Contact.objects.filter(deleted_at=None)
    owners = owners_within_reach(member, DataObject.CONTACT, verb)
    if owners is None:
        return contacts
    return contacts.filter(Q(company=None, our_contact__in=owners) | Q(company__our_contact__in=owners))


def companies_for(member: Membership, verb: str = "read") -> QuerySet[Company]:
    """Return the companies that the member may read (update, remove)."""
    owners = owners_within_reach(member, DataObject.COMPANY, verb)
    return Company.objects.all() if owners is None else Company.objects.filter(our_contact__in=owners)


def get_contact(member: Membership, contact_id: int, verb: str = "read") -> Contact:
    """Return a contact by id, or raise Http404 where the member may not."""
    contacts = contacts_for(member, verb).select_related(
        "company__category",
        "company__business",
        "company__our_contact",
        "category",
        "business",
        "our_contact",
        "service_contact",
    )
    found: Contact = _first(contacts.filter(pk=contact_id))
    return found


def get_company(member: Membership, company_id: int, verb: str = "read") -> Company:
    """Return a company by id, or raise Http404 where the member may not."""
    companies = companies_for(member, verb).select_related("category", "business", "our_contact")
    found: Company = _first(companies.filter(pk=company_id))
    return found


def _first(queryset: QuerySet[Any]) -> Any:
    found = queryset.first()
    if found is None:
        raise Http404
    return found


def reach_sql(member: Membership, verb: str = "read") -> tuple[str, list[Any]]:
    """Return the same as contacts_for over the aliases of crm.criteria.sql.FROM."""
    owners = owners_within_reach(member, DataObject.CONTACT, verb)
    if owners is None:
        return "c.deleted_at IS NULL", []
    owner = "CASE WHEN c.company_id IS NULL THEN c.our_contact_id ELSE co.our_contact_id END"
    return f"(c.deleted_at IS NULL AND {owner} = ANY(%s::bigint[]))", [owners]
