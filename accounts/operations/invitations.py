"""Invitations: an administrator invites an address; the link is signed, carries the tenant, expires, works once."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.audit import write_audit
from accounts.models import Group, Invitation, Membership, Role, Tenant, User
from accounts.operations.members import AlreadyMember, add_member, check_may_grant
from accounts.rights import Right
from core.signing import BadToken, make_token, read_token
from core.text import norm_email

PURPOSE = "invitation"
VALID_FOR = dt.timedelta(days=7)


class InvitationOver(ValueError):
    """The invitation was accepted or withdrawn, or has expired."""


class UserExists(ValueError):
    """There is a user with the invited address: they must sign in to join."""


@transaction.atomic
def invite(*, email: str, role: Role, group: Group | None, actor: Membership, now: dt.datetime) -> Invitation:
    """Invite an address to the open tenant; an open invitation of the same address is replaced.

    Sends nothing: `send_invitation` does, outside the transaction. Raises AlreadyMember, BeyondOwnRights.
    """
    address = norm_email(email)
    check_may_grant(actor=actor, role=role)
    member = Membership.objects.filter(user__email=address).first()
    if member:
        state = (
            "is a member already" if member.is_active else "was a member: reactivate the membership instead"
        )
        raise AlreadyMember(f"{address} {state}.")
    open_ones = Invitation.objects.filter(email=address, accepted_at=None, withdrawn_at=None)
    open_ones.update(withdrawn_at=now)
    invitation = Invitation.objects.create(
        email=address,
        role=role,
        group=group,
        invited_by=actor.user,
        created_at=now,
        expires_at=now + VALID_FOR,
    )
    write_audit(
        actor=actor.user,
        action="invitation.sent",
        object_kind="invitation",
        object_id=invitation.pk,
        object_name=address,
        payload={"role": role.name, "group": group.name if group else None},
    )
    return invitation


@transaction.atomic
def invite_first_administrator(*, email: str, now: dt.datetime) -> Invitation:
    """Invite the first administrator of the open tenant, in the operator's name (nobody's)."""
    role = Role.objects.filter(rights__right=Right.ADMINISTRATOR).earliest("pk")
    address = norm_email(email)
    invitation = Invitation.objects.create(
        email=address, role=role, created_at=now, expires_at=now + VALID_FOR
    )
    write_audit(
        actor=None,
        action="invitation.sent",
        object_kind="invitation",
        object_id=invitation.pk,
        object_name=address,
        payload={"role": role.name, "group": None},
    )
    return invitation


@transaction.atomic
def withdraw_invitation(*, invitation_id: int, actor: User, now: dt.datetime) -> None:
    """Make the link of an open invitation worthless. Raises InvitationOver."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation_id)
    if invitation.accepted_at or invitation.withdrawn_at:
        raise InvitationOver("This invitation is over already.")
    invitation.withdrawn_at = now
    invitation.save(update_fields=["withdrawn_at"])
    write_audit(
        actor=actor,
        action="invitation.withdrawn",
        object_kind="invitation",
        object_id=invitation.pk,
        object_name=invitation.email,
    )


def invitation_link(*, invitation: Invitation, tenant: Tenant) -> str:
    """Return the address that accepts the invitation."""
    token = make_token(purpose=PURPOSE, tenant_id=tenant.pk, values=(invitation.pk,))
    return settings.PUBLIC_URL + reverse("invitation", args=[token])


def send_invitation(*, invitation: Invitation, tenant: Tenant) -> None:
    """Send the link by SMTP. Call outside a transaction; raises OSError or SMTPException when that fails."""
    inviter = invitation.invited_by
    who = f"{inviter.get_full_name()} invites you" if inviter else "You are invited"
    told = {
        "inviter": inviter,
        "company": tenant,
        "invitation": invitation,
        "link": invitation_link(invitation=invitation, tenant=tenant),
    }
    EmailMessage(
        subject=_one_line(f"{who} to {tenant.name} on Millrace"),
        body=render_to_string("accounts/mail/invitation.txt", told),
        to=[invitation.email],
    ).send()


def _one_line(text: str) -> str:
    """Names are typed by people; a line break in a header is an injection."""
    return " ".join(text.split())


def tenant_of_invitation(token: str) -> tuple[int, int]:
    """Return tenant id and invitation id of a link's token. Raises BadToken."""
    told = read_token(purpose=PURPOSE, token=token, max_age=VALID_FOR + dt.timedelta(days=1))
    if len(told.values) != 1 or not isinstance(told.values[0], int):
        raise BadToken("This link is not valid.")
    return told.tenant_id, told.values[0]


def open_invitation(*, invitation_id: int, now: dt.datetime, lock: bool = False) -> Invitation:
    """Return the invitation of the open tenant if it can still be accepted. Raises InvitationOver."""
    rows = Invitation.objects.select_related("role", "group", "invited_by")
    rows = rows.select_for_update(of=("self",)) if lock else rows
    invitation = rows.filter(
        pk=invitation_id, accepted_at=None, withdrawn_at=None, expires_at__gt=now
    ).first()
    if invitation is None:
        raise InvitationOver("This invitation was used or withdrawn, or it has expired.")
    return invitation


@transaction.atomic
def accept_invitation(*, invitation_id: int, user: User, now: dt.datetime) -> Membership:
    """Make the signed-in user a member, once. Raises InvitationOver, AlreadyMember."""
    invitation = open_invitation(invitation_id=invitation_id, now=now, lock=True)
    membership = add_member(user=user, role=invitation.role, group=invitation.group, actor=user)
    invitation.accepted_at, invitation.accepted_by = now, user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    return membership


@transaction.atomic
def register_by_invitation(
    *, invitation_id: int, first_name: str, last_name: str, password: str, now: dt.datetime
) -> Membership:
    """Create the invited user with a password and make them a member. Raises InvitationOver, UserExists."""
    invitation = open_invitation(invitation_id=invitation_id, now=now, lock=True)
    if User.objects.filter(email=invitation.email).exists():
        raise UserExists(f"There is an account for {invitation.email}: sign in to join.")
    user = User.objects.create_user(
        email=invitation.email, password=password, first_name=first_name, last_name=last_name
    )
    return accept_invitation(invitation_id=invitation_id, user=user, now=now)
