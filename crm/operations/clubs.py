"""Selections and projects: create, change, delete, and take members in and out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm import bulk
from crm.events import Origin
from crm.models import Project, Selection
from crm.operations.usage import check_unused, forget_uses

Club = Selection | Project


class NameTaken(ValueError):
    """Another selection (or project) has this name."""


def check_free(model: type[Club], name: str, but: int | None = None) -> None:
    """Raise NameTaken where another one has the name."""
    if model._default_manager.filter(name=name).exclude(pk=but or 0).exists():
        raise NameTaken(f"There is a {model._meta.verbose_name} {name!r} already.")


@transaction.atomic
def create_club(*, model: type[Club], name: str, description: str, actor: User, now: dt.datetime) -> Club:
    """Create a selection or project, owned by who makes it. Raises NameTaken."""
    check_free(model, name)
    created: Club = model._default_manager.create(
        name=name, description=description, owner=actor, created_at=now
    )
    return created


@transaction.atomic
def change_club(*, model: type[Club], club_id: int, name: str, description: str) -> Club:
    """Rename or describe a selection or project. Raises NameTaken."""
    club: Club = model._default_manager.select_for_update().get(pk=club_id)
    check_free(model, name, but=club_id)
    club.name, club.description = name, description
    club.save(update_fields=["name", "description"])
    return club


@transaction.atomic
def delete_club(*, model: type[Club], club_id: int, actor: User) -> None:
    """Delete a selection or project; its members stay contacts. Raises InUse. Audited."""
    club: Club = model._default_manager.select_for_update().get(pk=club_id)
    kind = model._meta.model_name or ""
    check_unused(kind, club_id, club.name)
    club.delete()
    forget_uses(user_kind=kind, user_id=club_id)
    write_audit(
        actor=actor, action=f"{kind}.deleted", object_kind=kind, object_id=club_id, object_name=club.name
    )


@transaction.atomic
def change_members(
    *,
    model: type[Club],
    club_id: int,
    add: Sequence[int] = (),
    remove: Sequence[int] = (),
    actor: User,
    now: dt.datetime,
    origin: Origin = Origin.USER,
) -> int:
    """Add and remove members by contact id; return how many really came or went."""
    common = {"tenant_id": require_tenant_id(), "now": now, "origin": origin, "actor_id": actor.pk}
    with raw_cursor() as cursor:
        if model is Selection:
            added = bulk.add_to_selection(cursor, selection_id=club_id, contact_ids=add, **common)  # type: ignore[arg-type]
            gone = bulk.remove_from_selection(cursor, selection_id=club_id, contact_ids=remove, **common)  # type: ignore[arg-type]
        else:
            added = bulk.add_to_project(cursor, project_id=club_id, contact_ids=add, **common)  # type: ignore[arg-type]
            gone = bulk.remove_from_project(cursor, project_id=club_id, contact_ids=remove, **common)  # type: ignore[arg-type]
    return len(added) + len(gone)
