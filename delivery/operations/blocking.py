"""Blocking an address by hand, and letting it be written to again."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.text import norm_email
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


__all__ = ["AlreadyBlocked", "BadAddress", "block_address", "unblock_address"]
