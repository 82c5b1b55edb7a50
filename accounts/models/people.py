"""Who belongs to a tenant, in which group, with which role."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import Group as AuthGroup
from django.db import models
from django.utils.functional import cached_property

from accounts.models.tenant import Licence
from accounts.rights import DataObject, Reach, Right
from core import clock
from core.models import TenantForeignKey, TenantModel


class Group(TenantModel):
    """A user group as people see it; guardian's permissions hang on the opaque auth group behind it."""

    name = models.CharField(max_length=80)
    auth_group = models.OneToOneField(AuthGroup, on_delete=models.PROTECT, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="group_name_once")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(TenantModel):
    """A named set of functional rights and data rights."""

    name = models.CharField(max_length=80)
    description = models.CharField(max_length=250, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="role_name_once")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RoleRight(TenantModel):
    """One functional right of a role."""

    role = TenantForeignKey(Role, on_delete=models.CASCADE, related_name="rights")
    right = models.CharField(max_length=40, choices=Right)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "role", "right"], name="role_right_once")]


class RoleDataRight(TenantModel):
    """How far a role reaches into one kind of object, for each verb."""

    role = TenantForeignKey(Role, on_delete=models.CASCADE, related_name="data_rights")
    object = models.CharField(max_length=20, choices=DataObject)
    read = models.CharField(max_length=10, choices=Reach, default=Reach.NONE)
    create = models.CharField(max_length=10, choices=Reach, default=Reach.NONE)
    update = models.CharField(max_length=10, choices=Reach, default=Reach.NONE)
    remove = models.CharField(max_length=10, choices=Reach, default=Reach.NONE)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "role", "object"], name="role_data_right_once")
        ]


class Membership(TenantModel):
    """A user in a tenant. Readable by the tenant, and by the user themself (which tenants may I enter?)."""

    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="memberships")
    role = TenantForeignKey(Role, on_delete=models.PROTECT, related_name="memberships")
    group = TenantForeignKey(
        Group, on_delete=models.PROTECT, null=True, blank=True, related_name="primary_members"
    )
    other_groups = models.ManyToManyField(
        Group, through="MembershipGroup", related_name="members", blank=True
    )
    is_active = models.BooleanField(default=True)
    mobile = models.CharField(max_length=20, blank=True)
    # Who takes over what names this user (steps of flows), once the membership has ended.
    successor = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    last_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_once")]
        indexes = [models.Index(fields=["user", "tenant"], name="membership_of_user")]

    def __str__(self) -> str:
        return str(self.user)

    def may(self, *rights: Right) -> bool:
        """Say whether the role has any of these functional rights."""
        return any(right in self.rights for right in rights)

    def reach(self, kind: DataObject, verb: str) -> Reach:
        """Return how far the role may read, create, update or remove objects of a kind."""
        return Reach(self.data_rights.get(kind, {}).get(verb, Reach.NONE))

    # accounts.queries.active_membership fills these for the whole request; alone, each asks once.
    @cached_property
    def rights(self) -> frozenset[str]:
        """The functional rights of the role."""
        return frozenset(self.role.rights.values_list("right", flat=True))

    @cached_property
    def data_rights(self) -> Mapping[str, Mapping[str, str]]:
        """The data rights of the role: object -> verb -> reach."""
        verbs = ("read", "create", "update", "remove")
        return {str(line["object"]): line for line in self.role.data_rights.values("object", *verbs)}

    @cached_property
    def auth_group_ids(self) -> frozenset[int]:
        """The auth groups behind the member's groups, on which guardian's permissions hang."""
        others = MembershipGroup.objects.filter(membership=self).values_list(
            "group__auth_group_id", flat=True
        )
        return frozenset([*([self.group.auth_group_id] if self.group else []), *others])

    @cached_property
    def licences(self) -> frozenset[str]:
        """The codes of the tenant's licences in force."""
        codes = Licence.objects.filter(Licence.in_force(clock.now().date())).values_list("code", flat=True)
        return frozenset(codes)


class MembershipGroup(TenantModel):
    """A group of a member beside the primary one."""

    membership = TenantForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    group = TenantForeignKey(Group, on_delete=models.CASCADE, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "membership", "group"], name="membership_group_once")
        ]


class Invitation(TenantModel):
    """An invitation to join a tenant; the link's token is signed and is used once."""

    email = models.EmailField()
    role = TenantForeignKey(Role, on_delete=models.CASCADE, related_name="+")
    group = TenantForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    # Nobody: the operator invited the first administrator by `manage.py create_tenant`.
    invited_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                name="one_open_invitation",
                condition=models.Q(accepted_at=None, withdrawn_at=None),
            )
        ]
