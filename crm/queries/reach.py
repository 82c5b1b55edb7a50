"""Which contacts and companies a member may see: all, the own group's, or the own (by "our contact").

Our contact of a contact with a company is the company's. Counts and lists go through here, never around it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Membership
from accounts.rights import DataObject, Reach
from crm.models import Company, Contact


def _users(member: Membership, reach: Reach) -> list[int]:
    if reach == Reach.GROUP and member.group_id is not None:
        return list(Membership.objects.filter(group_id=member.group_id).values_list("user_id", flat=True))
    return [member.user_id]


def contacts_for(member: Membership, verb: str = "read") -> QuerySet[Contact]:
    """Return the contacts that the member may read (update, delete); erased ones are never among them."""
    contacts = Contact.objects.filter(deleted_at=None)
    reach = member.reach(DataObject.CONTACT, verb)
    if reach == Reach.ALL:
        return contacts
    if reach == Reach.NONE:
        return contacts.none()
    users = _users(member, reach)
    return contacts.filter(
        Q(company=None, our_contact_id__in=users)
        | Q(company__isnull=False, company__our_contact_id__in=users)
        | Q(service_contact_id__in=users)
    )


def companies_for(member: Membership, verb: str = "read") -> QuerySet[Company]:
    """Return the companies that the member may read (update, delete)."""
    reach = member.reach(DataObject.COMPANY, verb)
    if reach == Reach.ALL:
        return Company.objects.all()
    if reach == Reach.NONE:
        return Company.objects.none()
    return Company.objects.filter(our_contact_id__in=_users(member, reach))


def reach_sql(member: Membership, verb: str = "read") -> tuple[str, list[Any]]:
    """Return the same as contacts_for over the aliases of crm.criteria.sql.FROM."""
    reach = member.reach(DataObject.CONTACT, verb)
    if reach == Reach.ALL:
        return "c.deleted_at IS NULL", []
    if reach == Reach.NONE:
        return "FALSE", []
    users = _users(member, reach)
    sql = (
        "(c.deleted_at IS NULL AND (CASE WHEN c.company_id IS NULL THEN c.our_contact_id ELSE co.our_contact_id END "
        "= ANY(%s::bigint[]) OR c.service_contact_id = ANY(%s::bigint[])))"
    )
    return sql, [users, users]
