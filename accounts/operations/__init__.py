"""Writes of accounts: keyword-only verbs, one file an ability. Import from here."""

from accounts.operations.groups import GroupInUse, GroupNameTaken, create_group, delete_group, rename_group
from accounts.operations.invitations import (
    InvitationOver,
    UserExists,
    accept_invitation,
    invitation_link,
    invite,
    invite_first_administrator,
    register_by_invitation,
    send_invitation,
    withdraw_invitation,
)
from accounts.operations.members import (
    AlreadyMember,
    BeyondOwnRights,
    LastAdministrator,
    add_member,
    change_membership,
    deactivate_membership,
    reactivate_membership,
    set_mobile,
)
from accounts.operations.roles import RoleInUse, RoleNameTaken, delete_role, save_role
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
    "InvitationOver",
    "LastAdministrator",
    "RoleInUse",
    "RoleNameTaken",
    "TenantNameTaken",
    "UnknownTimezone",
    "UserExists",
    "accept_invitation",
    "add_member",
    "change_membership",
    "change_tenant",
    "create_group",
    "create_tenant",
    "deactivate_membership",
    "delete_group",
    "delete_role",
    "invitation_link",
    "invite",
    "invite_first_administrator",
    "reactivate_membership",
    "register_by_invitation",
    "rename_group",
    "save_role",
    "send_invitation",
    "set_mobile",
    "switch_consent_checking",
    "withdraw_invitation",
]
