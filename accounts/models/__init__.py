"""Tables of accounts. Users, their sign-ins and tenants are global; everything else belongs to a tenant."""

from accounts.models.audit import AuditEntry
from accounts.models.people import (
    Group,
    Invitation,
    Membership,
    MembershipGroup,
    Role,
    RoleDataRight,
    RoleRight,
)
from accounts.models.tenant import Holiday, Licence, Tenant
from accounts.models.user import User, UserManager

__all__ = [
    "AuditEntry",
    "Group",
    "Holiday",
    "Invitation",
    "Licence",
    "Membership",
    "MembershipGroup",
    "Role",
    "RoleDataRight",
    "RoleRight",
    "Tenant",
    "User",
    "UserManager",
]
