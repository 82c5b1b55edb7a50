"""Which contacts a member may read, by data right: the door from a contact's id in a URL to the contact."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.models import Membership
from accounts.reach import owners_within_reach
from accounts.rights import DataObject
from crm.models import Contact


def visible_contacts(member: Membership) -> QuerySet[Contact]:
    """Return the contacts that the member may read; erased ones are not there.

    A contact's owner is *our contact* of its company, or its own where it has no company.
    """
    contacts = Contact.objects.filter(deleted_at=None)
    owners = owners_within_reach(member, DataObject.CONTACT, "read")
    if owners is None:
        return contacts
    return contacts.filter(
        Q(company__isnull=True, our_contact__in=owners) | Q(company__our_contact__in=owners)
    )


def visible_contact(member: Membership, contact_id: int) -> Contact:
    """Return a contact that the member may read; raise Http404 for any other."""
    contact = visible_contacts(member).select_related("company").filter(pk=contact_id).first()
    if contact is None:
        raise Http404
    return contact
