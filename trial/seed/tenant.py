"""The demo tenant and its four sign-ins."""

from __future__ import annotations

import datetime as dt

from accounts.models import Group, Role, Tenant, User
from accounts.operations import add_member, create_group, create_tenant
from core.tenancy import tenant_scope
from trial.people import PASSWORD, PEOPLE, TENANT_NAME, TENANT_SLUG

GROUPS = {
    "Administrator": "Management",
    "Flow administrator": "Marketing",
    "Content writer": "Marketing",
    "Sales rep": "Sales",
}


def seed_tenant(*, now: dt.datetime) -> tuple[Tenant, dict[str, User]]:
    """Make the tenant and its members; return it and the users by role."""
    tenant = create_tenant(
        slug=TENANT_SLUG,
        name=TENANT_NAME,
        timezone="Europe/Oslo",
        country="NO",
        postal_address="Sjøgata 12\n9008 Tromsø\nNorway",
        from_name=TENANT_NAME,
        from_email="hello@northwind.example",
        is_trial=True,
        now=now,
    )
    users: dict[str, User] = {}
    with tenant_scope(tenant.pk):
        groups: dict[str, Group] = {}
        for person in PEOPLE:
            user = User.objects.create_user(
                email=person.email,
                password=PASSWORD,
                first_name=person.first_name,
                last_name=person.last_name,
            )
            name = GROUPS[person.role]
            if name not in groups:
                groups[name] = create_group(name=name, actor=None)
            add_member(user=user, role=Role.objects.get(name=person.role), group=groups[name])
            users[person.role] = user
    return tenant, users
