"""The door from a contact's id in a URL to the contact."""

from __future__ import annotations

from django.http import Http404

from accounts.models import Membership
from crm.models import Contact
from crm.queries.reach import contacts_for


def visible_contact(member: Membership, contact_id: int) -> Contact:
    """Return a contact that the member may read; raise Http404 for any other."""
    contact = contacts_for(member).select_related("company").filter(pk=contact_id).first()
    if contact is None:
        raise Http404
    return contact
