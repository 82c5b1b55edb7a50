"""Blocking an address by hand, letting it be written to again, and saying that its owner has left."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import Membership, User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from core.text import norm_email
from crm.bulk import Change, update_fields
from crm.events import Origin
from crm.models import Contact
from crm.queries.reach import contacts_for
from delivery.mime import BadAddress, checked_address
from delivery.models import BlockedAddress


class AlreadyBlocked(Exception):
    """The address is on the list."""


@transaction.atomic
def block_address(*, address: str, note: str, actor: User, now: dt.datetime) -> BlockedAddress:
    """Put an address on the list. Raises BadAddress and AlreadyBlocked."""
    address_norm = norm_email(address)
    checked_address(address_norm)
    if BlockedAddress.objects.filter(address_norm=address_norm).exists():
        raise AlreadyBlocked("This address is blocked already.")
    blocked = BlockedAddress.objects.create(
        address_norm=address_norm, reason=BlockedAddress.Reason.BY_USER, detail=note.strip()[:500], at=now
    )
    write_audit(
        actor=actor,
        action="address.blocked",
        object_kind="address",
        object_id=blocked.pk,
        object_name=address_norm,
    )
    return blocked


@transaction.atomic
def unblock_address(*, blocked_id: int, actor: User) -> str:
    """Take an address off the list and return it. Raises BlockedAddress.DoesNotExist."""
    blocked = BlockedAddress.objects.select_for_update().get(pk=blocked_id)
    address = blocked.address_norm
    write_audit(
        actor=actor, action="address.unblocked", object_kind="address", object_id=blocked.pk, object_name=address,
        payload={"reason": blocked.reason},
    )  # fmt: skip
    blocked.delete()
    return address


def holders(member: Membership, addresses: Sequence[str], verb: str = "read") -> dict[str, list[Contact]]:
    """Return who has each of these addresses, as far as the member may read (update) them; one query."""
    found: dict[str, list[Contact]] = defaultdict(list)
    for contact in contacts_for(member, verb).filter(email_norm__in=addresses).order_by("pk"):
        found[contact.email_norm].append(contact)
    return found


@transaction.atomic
def set_former_employee(*, blocked_id: int, member: Membership, now: dt.datetime) -> int:
    """Mark everyone with a blocked address as former employee; return how many were not yet.

    Only those that the member may update. Raises BlockedAddress.DoesNotExist.
    """
    blocked = BlockedAddress.objects.get(pk=blocked_id)
    people = holders(member, [blocked.address_norm], "update")[blocked.address_norm]
    ids = [contact.pk for contact in people if not contact.former_employee]
    if ids:
        with raw_cursor() as cursor:
            update_fields(
                cursor,
                tenant_id=require_tenant_id(),
                contact_ids=ids,
                changes=[Change(field="contact.former_employee", action="yes")],
                now=now,
                origin=Origin.USER,
                actor_id=member.user_id,
            )
    return len(ids)


__all__ = [
    "AlreadyBlocked",
    "BadAddress",
    "block_address",
    "holders",
    "set_former_employee",
    "unblock_address",
]
