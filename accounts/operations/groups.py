"""Groups of members. Behind each stands an auth group with an opaque name, on which guardian's permissions hang."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import Group as AuthGroup
from django.db import transaction

from accounts.audit import write_audit
from accounts.models import Group, User
from accounts.uses import uses_of, uses_text


class GroupNameTaken(ValueError):
    """Another group has this name."""


class GroupInUse(ValueError):
    """Members have this as their primary group, or flows name it."""


@transaction.atomic
def create_group(*, name: str, actor: User | None) -> Group:
    """Create a group. Raises GroupNameTaken."""
    _check_free(name)
    group = Group.objects.create(name=name, auth_group=AuthGroup.objects.create(name=f"group-{uuid.uuid4()}"))
    _log(actor, "group.created", group, {})
    return group


@transaction.atomic
def rename_group(*, group_id: int, name: str, actor: User) -> Group:
    """Give a group another name. Raises GroupNameTaken."""
    group = Group.objects.select_for_update().get(pk=group_id)
    if group.name == name:
        return group
    _check_free(name)
    old, group.name = group.name, name
    group.save(update_fields=["name"])
    _log(actor, "group.renamed", group, {"name": [old, name]})
    return group


@transaction.atomic
def delete_group(*, group_id: int, actor: User) -> None:
    """Delete a group that is nobody's primary group and that nothing names. Raises GroupInUse."""
    group = Group.objects.select_for_update().get(pk=group_id)
    count = group.primary_members.count()
    if count:
        raise GroupInUse(f"{group} is the group of {count} members. Move them to another group first.")
    if uses := uses_of("group", group_id):
        raise GroupInUse(f"{group} is used by {uses_text(uses)}. Take it out there first.")
    _log(actor, "group.deleted", group, {})
    auth_group = group.auth_group
    group.delete()
    auth_group.delete()


def _check_free(name: str) -> None:
    if Group.objects.filter(name=name).exists():
        raise GroupNameTaken(f"There is a group {name!r} already.")


def _log(actor: User | None, action: str, group: Group, payload: dict[str, object]) -> None:
    write_audit(
        actor=actor,
        action=action,
        object_kind="group",
        object_id=group.pk,
        object_name=group.name,
        payload=payload,
    )
