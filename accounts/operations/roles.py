"""Roles: named sets of functional rights and data rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import Membership, Role, RoleDataRight, RoleRight
from accounts.operations.members import BeyondOwnRights, LastAdministrator, administrators
from accounts.rights import DataObject, Reach, Right

DataRights = Mapping[str, Mapping[str, str]]
VERBS = ("read", "create", "update", "remove")


class RoleNameTaken(ValueError):
    """Another role has this name."""


class RoleInUse(ValueError):
    """Members, or open invitations, have this role."""


@transaction.atomic
def save_role(
    *,
    role_id: int | None,
    name: str,
    description: str,
    rights: Iterable[str],
    data_rights: DataRights,
    actor: Membership,
) -> Role:
    """Create a role (role_id None) or change one, its rights as a whole; audited with what came and went.

    Raises RoleNameTaken, BeyondOwnRights, LastAdministrator (the right would be taken from the last one).
    """
    role = Role.objects.select_for_update().get(pk=role_id) if role_id else Role()
    if Role.objects.filter(name=name).exclude(pk=role.pk).exists():
        raise RoleNameTaken(f"There is a role {name!r} already.")
    wanted = frozenset(Right(right).value for right in rights)
    before = frozenset(role.rights.values_list("right", flat=True)) if role.pk else frozenset()
    if not actor.may(Right.ADMINISTRATOR) and not (wanted ^ before) <= actor.rights:
        raise BeyondOwnRights("You may only hand out or take away rights that you have yourself.")
    role.name, role.description = name, description
    role.save()
    _write_rights(role, wanted)
    changed = _write_data_rights(role, data_rights)
    if Right.ADMINISTRATOR in before - wanted and not administrators():
        raise LastAdministrator(
            "Nobody would be administrator any more. Give someone another such role first."
        )
    write_audit(
        actor=actor.user,
        action="role.changed" if role_id else "role.created",
        object_kind="role",
        object_id=role.pk,
        object_name=name,
        payload={"added": sorted(wanted - before), "removed": sorted(before - wanted), "data": changed},
    )
    return role


def _write_rights(role: Role, wanted: frozenset[str]) -> None:
    role.rights.exclude(right__in=wanted).delete()
    missing = wanted - set(role.rights.values_list("right", flat=True))
    RoleRight.objects.bulk_create(RoleRight(role=role, right=right) for right in sorted(missing))


def _write_data_rights(role: Role, data_rights: DataRights) -> dict[str, list[str]]:
    """Write the matrix; return the lines that changed as "read all, create own …", old and new."""
    held = {line.object: line for line in role.data_rights.all()}
    changed = {}
    for kind in DataObject:
        wanted = {verb: Reach(data_rights.get(kind, {}).get(verb, Reach.NONE)).value for verb in VERBS}
        line = held.get(kind.value) or RoleDataRight(role=role, object=kind)
        old = {verb: str(getattr(line, verb)) for verb in VERBS}
        if line.pk and old == wanted:
            continue
        for verb, reach in wanted.items():
            setattr(line, verb, reach)
        line.save()
        changed[kind.value] = [_told(old), _told(wanted)]
    return changed


def _told(line: Mapping[str, str]) -> str:
    return ", ".join(f"{verb} {reach}" for verb, reach in line.items())


@transaction.atomic
def delete_role(*, role_id: int, actor: Membership) -> None:
    """Delete a role that nobody has. Raises RoleInUse, BeyondOwnRights."""
    role = Role.objects.select_for_update().get(pk=role_id)
    count = role.memberships.count()
    if count:
        raise RoleInUse(
            f"{count} {'member has' if count == 1 else 'members have'} the role {role}. Give them another first."
        )
    if (
        not actor.may(Right.ADMINISTRATOR)
        and not set(role.rights.values_list("right", flat=True)) <= actor.rights
    ):
        raise BeyondOwnRights(f"The role {role} has rights that you do not have yourself.")
    write_audit(
        actor=actor.user, action="role.deleted", object_kind="role", object_id=role.pk, object_name=role.name
    )
    role.delete()
