"""Tables of accounts. Users, their sign-ins, tenants and hashes of API keys are global; all else is a tenant's."""

from accounts.models.api_key import ApiKey, ApiKeyLookup
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
    "ApiKey",
    "ApiKeyLookup",
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
