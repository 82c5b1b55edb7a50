"""Writes of accounts: keyword-only verbs, one file an ability. Import from here."""

from accounts.operations.groups import GroupInUse, GroupNameTaken, create_group, delete_group, rename_group
from accounts.operations.members import (
    AlreadyMember,
    BeyondOwnRights,
    LastAdministrator,
    add_member,
    change_membership,
    deactivate_membership,
    reactivate_membership,
)
from accounts.operations.tenants import (
    TenantNameTaken,
    UnknownTimezone,
    change_tenant,
    create_tenant,
    switch_consent_checking,
)

__all__ = [
    "AlreadyMember",
    "BeyondOwnRights",
    "GroupInUse",
    "GroupNameTaken",
    "LastAdministrator",
    "TenantNameTaken",
    "UnknownTimezone",
    "add_member",
    "change_membership",
    "change_tenant",
    "create_group",
    "create_tenant",
    "deactivate_membership",
    "delete_group",
    "reactivate_membership",
    "rename_group",
    "switch_consent_checking",
]
