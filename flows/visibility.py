"""Who sees a flow: the right to look at flows at all, narrowed by the flow's *visible for* (spec: accounts).

`visible_flows` is the one door from an id in a URL to a flow: not allowed and not found look alike. What one may *do*
with a flow is asked by the views (accounts.guards).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.looking import who_looks
from accounts.models import Membership, MembershipGroup, RoleRight
from accounts.permissions import set_grants
from accounts.rights import Right
from flows.models import Flow, FlowGroupPermission, FlowUserPermission

VIEW_RIGHTS = (Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)
VIEW = "view_flow"
# What stands for the name of a flow that somebody else chose.
UNSEEN = "a flow you may not see"


def within_sight(member: Membership) -> QuerySet[Flow]:
    """Return the flows whose *visible for* includes the member, whatever the member's rights. Without deleted ones.

    "The owner's group" is the owner's primary group; members of it by any way see the flow. A general administrator
    is not narrowed: somebody must reach a flow whose owner is gone (docs/adr/0006).
    """
    return Flow.objects.filter(_seen_by(member), deleted_at=None)


def _seen_by(member: Membership) -> Q:
    if member.may(Right.ADMINISTRATOR):
        return Q()
    owners = Membership.objects.filter(
        user_id=OuterRef("owner_id"), group__auth_group_id__in=member.auth_group_ids
    )
    users = FlowUserPermission.objects.filter(content_object=OuterRef("pk"), user_id=member.user_id)
    groups = FlowGroupPermission.objects.filter(
        content_object=OuterRef("pk"), group_id__in=member.auth_group_ids
    )
    return (
        Q(visibility=Flow.Visibility.EVERYONE)
        | Q(owner_id=member.user_id)
        | Q(Exists(owners), visibility=Flow.Visibility.GROUP)
        | Q(Exists(users) | Exists(groups), visibility=Flow.Visibility.CHOSEN)
    )


def would_see(
    member: Membership,
    *,
    owner_id: int,
    visibility: str,
    user_ids: Collection[int],
    auth_group_ids: Collection[int],
) -> bool:
    """Say whether the member would see a flow of this owner, visible for these."""
    if member.may(Right.ADMINISTRATOR) or visibility == Flow.Visibility.EVERYONE:
        return True
    if owner_id == member.user_id:
        return True
    if visibility == Flow.Visibility.GROUP:
        owners = Membership.objects.filter(user_id=owner_id, group__auth_group_id__in=member.auth_group_ids)
        return owners.exists()
    if visibility == Flow.Visibility.CHOSEN:
        return member.user_id in user_ids or bool({*member.auth_group_ids} & {*auth_group_ids})
    return False


def members_who_see(flow: Flow) -> QuerySet[Membership]:
    """Return the active members who may look at the flow, by name: `visible_flows` the other way round."""

    def role_has(*rights: Right) -> Exists:
        return Exists(RoleRight.objects.filter(role_id=OuterRef("role_id"), right__in=rights))

    members = Membership.objects.filter(role_has(*VIEW_RIGHTS), is_active=True, user__is_active=True)
    seen = Q(user_id=flow.owner_id) | Q(role_has(Right.ADMINISTRATOR))
    if flow.visibility == Flow.Visibility.GROUP:
        home = Membership.objects.filter(user_id=flow.owner_id).values("group__auth_group_id")
        seen |= _in_groups(home)
    elif flow.visibility == Flow.Visibility.CHOSEN:
        seen |= Q(user_id__in=flow.user_grants.values("user_id")) | _in_groups(
            flow.group_grants.values("group_id")
        )
    narrowed = members if flow.visibility == Flow.Visibility.EVERYONE else members.filter(seen)
    return narrowed.select_related("user").order_by("user__first_name", "user__last_name", "user_id")


def _in_groups(auth_group_ids: QuerySet[Any, Any]) -> Q:
    """Members of these groups by any way."""
    others = MembershipGroup.objects.filter(
        membership=OuterRef("pk"), group__auth_group_id__in=auth_group_ids
    )
    return Q(group__auth_group_id__in=auth_group_ids) | Q(Exists(others))


def visible_flows(member: Membership) -> QuerySet[Flow]:
    """Return the flows that the member may look at: none without the right to."""
    return within_sight(member) if member.may(*VIEW_RIGHTS) else Flow.objects.none()


def flows_in_sight() -> QuerySet[Flow]:
    """Return the flows that whoever the page is drawn for may choose; every flow where nobody looks."""
    member = who_looks()
    return Flow.objects.filter(deleted_at=None) if member is None else visible_flows(member)


def unseen_flows(ids: Collection[int]) -> set[int]:
    """Return which of these flows, deleted ones too, are kept from whoever the page is drawn for."""
    member = who_looks()
    if member is None or not ids:
        return set()
    seen = _seen_by(member) if member.may(*VIEW_RIGHTS) else Q(pk=None)
    return set(
        Flow.objects.filter(pk__in=ids).exclude(pk__in=Flow.objects.filter(seen)).values_list("pk", flat=True)
    )


def veiled(names: dict[int, str]) -> dict[int, str]:
    """Return names of flows by id, without those that whoever the page is drawn for may not see."""
    return {**names, **dict.fromkeys(unseen_flows(names), UNSEEN)}


def choose_viewers(*, flow: Flow, user_ids: Iterable[int], auth_group_ids: Iterable[int]) -> None:
    """Make exactly these users and groups see a flow that is visible for *chosen users and groups*."""
    set_grants(FlowUserPermission, codename=VIEW, content_object=flow, ids=user_ids)
    set_grants(FlowGroupPermission, codename=VIEW, content_object=flow, ids=auth_group_ids)


def copy_viewers(*, flow: Flow, copy: Flow) -> None:
    """Let the users and groups that were chosen for a flow see its copy too."""
    chosen = flow.visibility == Flow.Visibility.CHOSEN
    users = FlowUserPermission.objects.filter(content_object=flow).values_list("user_id", flat=True)
    groups = FlowGroupPermission.objects.filter(content_object=flow).values_list("group_id", flat=True)
    choose_viewers(flow=copy, user_ids=users if chosen else (), auth_group_ids=groups if chosen else ())
