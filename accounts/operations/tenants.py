"""Tenants: create one with its roles and licences; change what an administrator may change of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from accounts.audit import write_audit
from accounts.default_roles import DEFAULT_ROLES
from accounts.models import Licence, Role, RoleDataRight, RoleRight, Tenant, User
from core.tenancy import tenant_scope


class TenantNameTaken(ValueError):
    """Another tenant has this slug."""


class UnknownTimezone(ValueError):
    """No such timezone."""


@transaction.atomic
def create_tenant(
    *,
    slug: str,
    name: str,
    now: dt.datetime,
    timezone: str = "UTC",
    country: str = "",
    language: str = "en",
    postal_address: str = "",
    from_name: str = "",
    from_email: str = "",
    licences: Iterable[str] = tuple(Licence.Code),
    is_trial: bool = False,
) -> Tenant:
    """Create a tenant with its default roles, licences and what the other apps lay into it (TENANT_SEEDS).

    Raises TenantNameTaken or UnknownTimezone.
    """
    if Tenant.objects.filter(slug=slug).exists():
        raise TenantNameTaken(f"There is a tenant {slug!r} already.")
    _check_timezone(timezone)
    tenant = Tenant.objects.create(
        slug=slug,
        name=name,
        timezone=timezone,
        country=country,
        language=language,
        postal_address=postal_address,
        from_name=from_name or name,
        from_email=from_email,
        is_trial=is_trial,
    )
    with tenant_scope(tenant.pk):
        _seed_roles()
        Licence.objects.bulk_create(Licence(code=code) for code in licences)
        for path in settings.TENANT_SEEDS:
            import_string(path)(tenant_id=tenant.pk, now=now)
        write_audit(
            actor=None, action="tenant.created", object_kind="tenant", object_id=tenant.pk, object_name=name
        )
    return tenant


def _check_timezone(timezone: str) -> None:
    if timezone not in available_timezones():
        raise UnknownTimezone(f"There is no timezone {timezone!r}.")


def _seed_roles() -> None:
    for default in DEFAULT_ROLES:
        role = Role.objects.create(name=default.name, description=default.description)
        RoleRight.objects.bulk_create(RoleRight(role=role, right=right) for right in default.rights)
        RoleDataRight.objects.bulk_create(
            RoleDataRight(
                role=role, object=kind, read=row.read, create=row.create, update=row.update, remove=row.remove
            )
            for kind, row in default.data.items()
        )


CHANGEABLE = ("name", "timezone", "country", "language", "postal_address", "from_name", "from_email")


@transaction.atomic
def change_tenant(*, tenant: Tenant, actor: User, changes: dict[str, str]) -> Tenant:
    """Change one of CHANGEABLE of the open tenant; audited with old and new."""
    locked = Tenant.objects.select_for_update().get(pk=tenant.pk)
    old = {name: getattr(locked, name) for name in changes if name in CHANGEABLE}
    changed = {name: value for name, value in changes.items() if name in old and old[name] != value}
    if "timezone" in changed:
        _check_timezone(changed["timezone"])
    if not changed:
        return locked
    for name, value in changed.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(changed))
    payload = {name: [old[name], value] for name, value in changed.items()}
    write_audit(
        actor=actor,
        action="tenant.changed",
        object_kind="tenant",
        object_id=tenant.pk,
        object_name=locked.name,
        payload=payload,
    )
    return locked


@transaction.atomic
def switch_consent_checking(*, tenant: Tenant, actor: User, required: bool) -> Tenant:
    """Switch the check of e-marketing consent before messages on or off for the whole tenant; always audited."""
    locked = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if locked.consent_required == required:
        return locked
    locked.consent_required = required
    locked.save(update_fields=["consent_required"])
    write_audit(
        actor=actor,
        action="tenant.consent_checking_on" if required else "tenant.consent_checking_off",
        object_kind="tenant",
        object_id=tenant.pk,
        object_name=locked.name,
    )
    return locked
