"""Members of a tenant: add, change role and group, deactivate, reactivate.

A tenant's administrator ends a membership; the user's password, second factor and address are the user's own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import Group, Membership, Role, RoleRight, User
from accounts.rights import Right
from accounts.uses import Use, uses_of, uses_text
from core.db.cursors import raw_cursor
from core.handover import Handover, hand_over, in_the_name_of
from core.tenancy import require_tenant_id


class AlreadyMember(ValueError):
    """The user belongs to this tenant already."""


class LastAdministrator(ValueError):
    """The tenant would be left without an administrator."""


class BeyondOwnRights(ValueError):
    """One may not hand out, or touch, rights that one does not have."""


class UserInUse(ValueError):
    """Flows name the user: somebody must take over. `uses` say where."""

    def __init__(self, user: User, uses: Sequence[Use]) -> None:
        super().__init__(f"{user} is named by {uses_text(uses)}. Choose who takes over.")
        self.uses = uses


class BadSuccessor(ValueError):
    """Only another active member can take over."""


@transaction.atomic
def add_member(
    *, user: User, role: Role, group: Group | None = None, actor: User | None = None
) -> Membership:
    """Make a user a member of the open tenant. Raises AlreadyMember."""
    if Membership.objects.filter(user=user).exists():
        raise AlreadyMember(f"{user} is a member already.")
    membership = Membership.objects.create(user=user, role=role, group=group)
    write_audit(
        actor=actor,
        action="member.added",
        object_kind="member",
        object_id=membership.pk,
        object_name=user.get_full_name(),
        payload={"role": role.name, "group": group.name if group else None},
    )
    return membership


@transaction.atomic
def change_membership(
    *, membership_id: int, role: Role, group: Group | None, actor: Membership
) -> Membership:
    """Give a member another role or primary group. Raises LastAdministrator, BeyondOwnRights."""
    membership = _locked(membership_id)
    if role.pk != membership.role_id:
        check_may_grant(actor=actor, role=role)
        check_may_grant(actor=actor, role=membership.role)
        if not _is_administrators(role):
            _keep_an_administrator(without=membership)
    payload = {
        "role": [membership.role.name, role.name],
        "group": [membership.group.name if membership.group else None, group.name if group else None],
    }
    if membership.role_id == role.pk and membership.group_id == (group.pk if group else None):
        return membership
    membership.role, membership.group = role, group
    membership.save(update_fields=["role", "group"])
    _log(actor, "member.changed", membership, payload)
    return membership


@transaction.atomic
def set_mobile(*, membership_id: int, mobile: str, actor: Membership) -> Membership:
    """Keep where a member gets text messages from flows (E.164, or empty). One's own, or whoever manages users."""
    membership = _locked(membership_id)
    if membership.mobile == mobile:
        return membership
    membership.mobile = mobile
    membership.save(update_fields=["mobile"])
    _log(actor, "member.mobile_changed", membership, {"mobile": "given" if mobile else "taken away"})
    return membership


@transaction.atomic
def deactivate_membership(
    *, membership_id: int, actor: Membership, now: dt.datetime, successor_id: int | None = None
) -> Membership:
    """End a membership: the user cannot enter the tenant any more; a successor (a user) takes over what names them and
    what is in their name (core.handover).

    Raises LastAdministrator, BeyondOwnRights, UserInUse where a successor is wanted, BadSuccessor.
    """
    membership = _locked(membership_id)
    if not membership.is_active:
        return membership
    check_may_grant(actor=actor, role=membership.role)
    _keep_an_administrator(without=membership)
    _check_successor(membership, successor_id)
    membership.is_active, membership.successor_id = False, successor_id
    membership.save(update_fields=["is_active", "successor"])
    payload = _hand_over(membership, successor_id, actor, now) if successor_id else {}
    _log(actor, "member.deactivated", membership, payload)
    return membership


def _hand_over(
    membership: Membership, successor_id: int, actor: Membership, now: dt.datetime
) -> dict[str, object]:
    """Give everything in the member's name to the successor; return what the audit log keeps of it."""
    tenant_id = require_tenant_id()
    with raw_cursor() as cursor:
        owned = in_the_name_of(cursor, tenant_id=tenant_id, user_id=membership.user_id)
        hand_over(cursor, Handover(tenant_id, membership.user_id, successor_id, actor.user_id, now))
    return {"successor": successor_id, "handed_over": {what: number for number, what in owned}}


@transaction.atomic
def reactivate_membership(*, membership_id: int, actor: Membership) -> Membership:
    """Let a former member in again, with the role they had. Raises BeyondOwnRights."""
    membership = _locked(membership_id)
    if membership.is_active:
        return membership
    check_may_grant(actor=actor, role=membership.role)
    membership.is_active, membership.successor = True, None
    membership.save(update_fields=["is_active", "successor"])
    _log(actor, "member.reactivated", membership, {})
    return membership


def _check_successor(membership: Membership, successor_id: int | None) -> None:
    if successor_id is None:
        if uses := uses_of("user", membership.user_id):
            raise UserInUse(membership.user, uses)
        return
    others = Membership.objects.filter(is_active=True).exclude(pk=membership.pk)
    if not others.filter(user_id=successor_id).exists():
        raise BadSuccessor("Choose another active member to take over.")


def check_may_grant(*, actor: Membership, role: Role) -> None:
    """Raise BeyondOwnRights when the role has a right that the actor has not; an administrator may grant all."""
    if actor.may(Right.ADMINISTRATOR):
        return
    if not set(role.rights.values_list("right", flat=True)) <= actor.rights:
        raise BeyondOwnRights(f"The role {role.name} has rights that you do not have yourself.")


def administrators() -> list[int]:
    """Return the ids of the open tenant's active memberships with the right *general administrator*, locked."""
    roles = RoleRight.objects.filter(right=Right.ADMINISTRATOR).values("role")
    locked = Membership.objects.filter(is_active=True, role__in=roles).order_by("pk").select_for_update()
    return list(locked.values_list("pk", flat=True))


def _keep_an_administrator(*, without: Membership) -> None:
    if set(administrators()) == {without.pk}:
        raise LastAdministrator(
            f"{without} is the last administrator. Make someone else administrator first."
        )


def _is_administrators(role: Role) -> bool:
    return role.rights.filter(right=Right.ADMINISTRATOR).exists()


def _locked(membership_id: int) -> Membership:
    return Membership.objects.select_related("role").select_for_update(of=("self",)).get(pk=membership_id)


def _log(actor: Membership, action: str, membership: Membership, payload: Mapping[str, object]) -> None:
    write_audit(
        actor=actor.user,
        action=action,
        object_kind="member",
        object_id=membership.pk,
        object_name=membership.user.get_full_name(),
        payload=dict(payload),
    )
