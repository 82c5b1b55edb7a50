"""Settings: the members of the tenant, and invitations."""

from __future__ import annotations

from smtplib import SMTPException

import structlog
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import get_text_list
from django.views.decorators.http import require_POST

from accounts import operations
from accounts.forms import InviteForm, MobileForm, RoleAndGroupForm, initial_of_member
from accounts.guards import needs, outside_transaction
from accounts.http import TenantRequest
from accounts.models import Invitation, Membership
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from accounts.uses import uses_of
from core import clock
from core.db.cursors import raw_cursor
from core.handover import in_the_name_of
from core.paging import keyset_page
from core.tenancy import tenant_scope

log = structlog.get_logger(__name__)
PEOPLE = (Right.ADMINISTRATOR, Right.MANAGE_USERS)
REFUSALS = (
    operations.LastAdministrator,
    operations.BeyondOwnRights,
    operations.AlreadyMember,
    operations.BadSuccessor,
)


@needs(*PEOPLE)
def users(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the members and the invitations that wait."""
    state, words = request.GET.get("state", "active"), request.GET.get("q", "").strip()
    members = Membership.objects.select_related("user", "role", "group")
    if state != "all":
        members = members.filter(is_active=state != "inactive")
    if words:
        found = Q(user__first_name__icontains=words) | Q(user__last_name__icontains=words)
        members = members.filter(found | Q(user__email__icontains=words))
    waiting = Invitation.objects.filter(accepted_at=None, withdrawn_at=None).select_related(
        "role", "invited_by"
    )
    page = {
        "page": keyset_page(members, by=["id"], query=request.GET, size=100),
        "state": state,
        "words": words,
        "invitations": waiting.order_by("-created_at"),
        "now": clock.now(),
    }
    return render(request, "accounts/users.html", page)


@needs(*PEOPLE)
def user(request: TenantRequest, tenant: str, membership_id: int) -> HttpResponse:
    """Show a member; change role and group."""
    member = get_object_or_404(Membership.objects.select_related("user", "role", "group"), pk=membership_id)
    form = RoleAndGroupForm(request.POST or None, initial=initial_of_member(member))
    if request.method == "POST" and form.is_valid():
        try:
            operations.change_membership(
                membership_id=member.pk,
                role=form.cleaned_data["role"],
                group=form.cleaned_data["group"],
                actor=request.member,
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{member.user} saved.")
            return redirect(turl(request.tenant, "accounts:users"))
    return _user_page(request, member, form, status=422 if form.is_bound else 200)


def _user_page(
    request: TenantRequest,
    member: Membership,
    form: RoleAndGroupForm | None = None,
    mobile_form: MobileForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    country = request.tenant.country
    page = {
        "shown": member,
        "form": form or RoleAndGroupForm(initial=initial_of_member(member)),
        "uses": uses_of("user", member.user_id) if member.is_active else (),
        "owned": _owned(request, member) if member.is_active else "",
        "others": sorted(
            Membership.objects.filter(is_active=True).exclude(pk=member.pk).select_related("user"), key=str
        ),
        "mobile_form": mobile_form or MobileForm(initial={"mobile": member.mobile}, country=country),
    }
    return render(request, "accounts/user.html", page, status=status)


def _owned(request: TenantRequest, member: Membership) -> str:
    """Say what is in a member's name: 2 flows, 1 open sale and 14 contacts in their care."""
    with raw_cursor() as cursor:
        found = in_the_name_of(cursor, tenant_id=request.tenant.pk, user_id=member.user_id)
    return get_text_list([f"{number:,} {what}" for number, what in found], "and")


@require_POST
@needs(*PEOPLE)
def user_mobile(request: TenantRequest, tenant: str, membership_id: int) -> HttpResponse:
    """Keep a member's mobile number."""
    member = get_object_or_404(Membership.objects.select_related("user", "role", "group"), pk=membership_id)
    form = MobileForm(request.POST, country=request.tenant.country)
    if not form.is_valid():
        return _user_page(request, member, mobile_form=form, status=422)
    operations.set_mobile(membership_id=member.pk, mobile=form.cleaned_data["mobile"], actor=request.member)
    messages.success(request, f"The mobile number of {member.user} is saved.")
    return redirect(turl(request.tenant, "accounts:user", member.pk))


@require_POST
@needs(*PEOPLE)
def user_active(request: TenantRequest, tenant: str, membership_id: int) -> HttpResponse:
    """End a membership, or let a former member in again."""
    member = get_object_or_404(Membership.objects.select_related("user"), pk=membership_id)
    ending = request.POST.get("active") != "yes"
    try:
        if ending:
            successor = request.POST.get("successor", "")
            operations.deactivate_membership(
                membership_id=member.pk,
                actor=request.member,
                now=tenant_now(request.tenant.pk),
                successor_id=int(successor) if successor.isdecimal() else None,
            )
        else:
            operations.reactivate_membership(membership_id=member.pk, actor=request.member)
    except operations.UserInUse as used:
        messages.error(request, str(used))
        return redirect(turl(request.tenant, "accounts:user", member.pk))
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, f"{member.user} {'can no longer sign in here' if ending else 'can sign in again'}."
        )
    return redirect(turl(request.tenant, "accounts:users"))


@outside_transaction
@needs(*PEOPLE)
def invite(request: TenantRequest, tenant: str) -> HttpResponse:
    """Invite someone: the row in one transaction, the mail after it."""
    invitation = None
    with tenant_scope(request.tenant.pk):
        form = InviteForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                invitation = operations.invite(**form.cleaned_data, actor=request.member, now=clock.now())
            except REFUSALS as refusal:
                form.add_error(
                    "email" if isinstance(refusal, operations.AlreadyMember) else "role", str(refusal)
                )
        if invitation is None:
            return render(
                request, "accounts/invite.html", {"form": form}, status=422 if form.is_bound else 200
            )
    _send(request, invitation)
    return redirect(turl(request.tenant, "accounts:users"))


@outside_transaction
@require_POST
@needs(*PEOPLE)
def invite_again(request: TenantRequest, tenant: str, invitation_id: int) -> HttpResponse:
    """Replace a waiting invitation by a new one, with a new link and a new week."""
    with tenant_scope(request.tenant.pk):
        waiting = Invitation.objects.filter(accepted_at=None, withdrawn_at=None).select_related(
            "role", "group"
        )
        old = get_object_or_404(waiting, pk=invitation_id)
        try:
            new = operations.invite(
                email=old.email, role=old.role, group=old.group, actor=request.member, now=clock.now()
            )
        except REFUSALS as refusal:
            messages.error(request, str(refusal))
            return redirect(turl(request.tenant, "accounts:users"))
    _send(request, new)
    return redirect(turl(request.tenant, "accounts:users"))


@require_POST
@needs(*PEOPLE)
def invitation_withdraw(request: TenantRequest, tenant: str, invitation_id: int) -> HttpResponse:
    """Make a waiting invitation's link worthless."""
    invitation = get_object_or_404(Invitation, pk=invitation_id)
    try:
        operations.withdraw_invitation(invitation_id=invitation.pk, actor=request.user, now=clock.now())
    except operations.InvitationOver as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, f"The invitation of {invitation.email} is withdrawn; its link no longer works."
        )
    return redirect(turl(request.tenant, "accounts:users"))


def _send(request: TenantRequest, invitation: Invitation) -> None:
    try:
        operations.send_invitation(invitation=invitation, tenant=request.tenant)
    except (OSError, SMTPException) as error:
        log.warning("invitation not sent", error=str(error))
        told = f"The invitation of {invitation.email} is made, but the email could not be sent."
        messages.error(request, f"{told} Send it again from the list.")
    else:
        messages.success(request, f"Invitation sent to {invitation.email}.")
