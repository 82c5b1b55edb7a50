"""Users and groups in a flow file: told by name alone, never made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.models import Group, Membership, User
from flows.exchange.kinds import MOST_CHOICES, Choice, Told, UsedKind
from flows.exchange.schema import Used


class UserKind(UsedKind):
    """A user, by full name: addresses stay where they are."""

    name = "user"
    label = "User"
    icon = "user"

    def rows(self, member: Membership) -> Any:
        """The tenant's active members, with their users."""
        return Membership.objects.filter(is_active=True, user__is_active=True).select_related("user")

    def told(self, ids: Sequence[int], member: Membership) -> dict[int, Told]:
        """Also those who left keep their name."""
        users = User.objects.filter(pk__in=Membership.objects.filter(user_id__in=ids).values("user_id"))
        return {user.pk: Told(str(user), {}) for user in users}

    def found(self, wanted: Sequence[Used], member: Membership) -> dict[int, int]:
        """By the name as it is shown."""
        by_name: dict[str, list[int]] = {}
        for row in self.rows(member):
            by_name.setdefault(str(row.user), []).append(row.user_id)
        return {one.id: by_name[one.name][0] for one in wanted if len(by_name.get(one.name, ())) == 1}

    def choices(self, used: Used, member: Membership) -> list[Choice]:
        """Every active member."""
        rows = self.rows(member).order_by("user__first_name", "user__last_name", "pk")[:MOST_CHOICES]
        return [Choice(row.user_id, str(row.user)) for row in rows]


class GroupKind(UsedKind):
    """A group of users."""

    name = "group"
    label = "Group"
    icon = "users"
    model = Group
