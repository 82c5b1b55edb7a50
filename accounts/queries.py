"""Reads of accounts: the tenant's clock, who is a member with which rights, which tenants a user may enter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, transaction
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from accounts.models import (
    Group,
    Licence,
    Membership,
    MembershipGroup,
    RoleDataRight,
    RoleRight,
    Tenant,
    User,
)
from core import clock
from core.tenancy import require_tenant_id, unscoped


def tenant_now(tenant_id: int) -> dt.datetime:
    """Return the tenant's own time: the real time, and for a trial what its clock is ahead."""
    return clock.now() + Tenant.objects.values_list("clock_offset", flat=True).get(pk=tenant_id)


def now_of(tenant: Tenant) -> dt.datetime:
    """Return what `tenant_now` does, of a tenant that this request has just read. No query."""
    return clock.now() + tenant.clock_offset


def tenant_zone(tenant_id: int) -> ZoneInfo:
    """Return the tenant's own timezone."""
    return ZoneInfo(Tenant.objects.values_list("timezone", flat=True).get(pk=tenant_id))


def active_membership(user: User) -> Membership | None:
    """Return the user's active membership of the open scope with everything that pages ask of it, in one query."""
    member = (
        Membership.objects.filter(user=user, is_active=True)
        .select_related("role", "group")
        .annotate(
            right_list=ArraySubquery(RoleRight.objects.filter(role=OuterRef("role")).values("right")),
            data_right_list=ArraySubquery(
                RoleDataRight.objects.filter(role=OuterRef("role")).values(
                    line=JSONObject(
                        object="object", read="read", create="create", update="update", remove="remove"
                    )
                )
            ),
            other_group_list=ArraySubquery(
                MembershipGroup.objects.filter(membership=OuterRef("pk")).values("group__auth_group_id")
            ),
            licence_list=ArraySubquery(
                Licence.objects.filter(Licence.in_force(clock.now().date())).values("code")
            ),
        )
        .first()
    )
    if member:
        _preload(member, user)
    return member


def _preload(member: Membership, user: User) -> None:
    """Fill the cached properties of a membership from the annotations of `active_membership`."""
    known = vars(member)
    member.user = user
    member.rights = frozenset(known["right_list"])
    member.data_rights = {line["object"]: line for line in known["data_right_list"]}
    primary = [member.group.auth_group_id] if member.group else []
    member.auth_group_ids = frozenset([*primary, *known["other_group_list"]])
    member.licences = frozenset(known["licence_list"])


def tenants_of(user: User) -> Sequence[Tenant]:
    """Return the tenants that a user may enter, by name. Opens a transaction: the policy asks for app.user_id."""
    with unscoped(reason="which tenants may this user enter?"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.user_id', %s, true)", [str(user.pk)])
        mine = Membership.objects.filter(user=user, is_active=True).values("tenant_id")
        tenants = list(Tenant.objects.filter(pk__in=mine).order_by("name", "pk"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.user_id', '', true)")
    return tenants


def groups() -> Sequence[Group]:
    """Return the tenant's groups by name."""
    return list(Group.objects.order_by("name"))


def audited_kinds() -> list[str]:
    """Return the kinds of objects in the audit log, by hopping along the index: the log may have millions of rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE hop AS (
                (SELECT object_kind FROM accounts_auditentry WHERE tenant_id = %(tenant)s ORDER BY object_kind LIMIT 1)
                UNION ALL
                SELECT (SELECT a.object_kind FROM accounts_auditentry a
                        WHERE a.tenant_id = %(tenant)s AND a.object_kind > hop.object_kind
                        ORDER BY a.object_kind LIMIT 1)
                FROM hop WHERE hop.object_kind IS NOT NULL
            )
            SELECT object_kind FROM hop WHERE object_kind IS NOT NULL
            """,
            {"tenant": require_tenant_id()},
        )
        return [row[0] for row in cursor.fetchall()]


def has_licence(code: str, *, on: dt.date) -> bool:
    """Say whether the open tenant has a licence in force on a day."""
    return Licence.objects.filter(Licence.in_force(on), code=code).exists()
