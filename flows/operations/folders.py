"""Folders of flows: make, rename, move, delete when empty, and put flows into them.

Moving takes the tenant's folder lock, so that two moves at once cannot make a ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction

from core.tenancy import require_tenant_id
from flows.models import Flow, FlowFolder

_LOCK: Final = 0x464F << 48  # "FO": the class of this advisory lock
DEEPEST: Final = 8


class FolderRefused(Exception):
    """The folder cannot be made, named, moved or deleted so; the message is for the user."""


@transaction.atomic
def create_folder(*, name: str, parent_id: int | None) -> FlowFolder:
    """Make a folder, inside another one or at the top. Raises FolderRefused, FlowFolder.DoesNotExist."""
    _lock()
    _check_depth(parent_id, height=1)
    return FlowFolder.objects.create(name=_free_name(name, parent_id), parent_id=parent_id)


@transaction.atomic
def rename_folder(*, folder_id: int, name: str) -> FlowFolder:
    """Give a folder another name. Raises FolderRefused, FlowFolder.DoesNotExist."""
    _lock()
    folder = FlowFolder.objects.get(pk=folder_id)
    folder.name = _free_name(name, folder.parent_id, but=folder_id)
    folder.save(update_fields=["name"])
    return folder


@transaction.atomic
def move_folder(*, folder_id: int, parent_id: int | None) -> FlowFolder:
    """Put a folder, with what it holds, into another one or at the top. Raises FolderRefused, DoesNotExist."""
    _lock()
    folder = FlowFolder.objects.get(pk=folder_id)
    if parent_id is not None and folder_id in _line_of(parent_id):
        raise FolderRefused(f"{folder.name} cannot go into itself or a folder inside it.")
    _check_depth(parent_id, height=_height(folder_id))
    folder.name = _free_name(folder.name, parent_id, but=folder_id)
    folder.parent_id = parent_id
    folder.save(update_fields=["parent"])
    return folder


@transaction.atomic
def delete_folder(*, folder_id: int) -> str:
    """Delete an empty folder and return its name. Raises FolderRefused while anything is in it, DoesNotExist."""
    _lock()
    folder = FlowFolder.objects.get(pk=folder_id)
    # Flows that this user may not see, and deleted ones, count as well: say so without naming them.
    flows = Flow.objects.filter(folder_id=folder_id, deleted_at=None).count()
    if flows or FlowFolder.objects.filter(parent_id=folder_id).exists():
        raise FolderRefused(f"{folder.name} is not empty. Move or delete what is in it first.")
    Flow.objects.filter(folder_id=folder_id).update(folder=None)
    folder.delete()
    return folder.name


@transaction.atomic
def move_flow(*, flow_id: int, folder_id: int | None) -> None:
    """Put a flow into a folder, or at the top. Raises FlowFolder.DoesNotExist, Flow.DoesNotExist."""
    if folder_id is not None:
        # A shared lock on the folder keeps a deletion from slipping in between.
        FlowFolder.objects.select_for_update().get(pk=folder_id)
    if not Flow.objects.filter(pk=flow_id, deleted_at=None).update(folder_id=folder_id):
        raise Flow.DoesNotExist


@transaction.atomic
def move_flows(*, flow_ids: Sequence[int], folder_id: int | None) -> int:
    """Put flows into a folder, or at the top, and return how many are there now. One statement. Raises
    FlowFolder.DoesNotExist."""
    if folder_id is not None:
        FlowFolder.objects.select_for_update().get(pk=folder_id)
    return Flow.objects.filter(pk__in=flow_ids, deleted_at=None).update(folder_id=folder_id)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [_LOCK | require_tenant_id()])


def _free_name(name: str, parent_id: int | None, *, but: int | None = None) -> str:
    name = " ".join(name.split())
    if not name:
        raise FolderRefused("Give the folder a name.")
    if len(name) > 80:
        raise FolderRefused("A folder's name has at most 80 characters.")
    taken = FlowFolder.objects.filter(parent_id=parent_id, name=name).values_list("pk", flat=True).first()
    if taken not in {None, but}:
        raise FolderRefused(f"There is a folder {name} here already.")
    return name


def _parents() -> dict[int, int | None]:
    return dict(FlowFolder.objects.values_list("pk", "parent_id"))


def _line_of(folder_id: int) -> list[int]:
    """Return the folder and those above it. Raises FlowFolder.DoesNotExist."""
    parents, line = _parents(), []
    current: int | None = folder_id
    while current is not None:
        if current not in parents:
            raise FlowFolder.DoesNotExist
        line.append(current)
        current = parents[current]
    return line


def _height(folder_id: int) -> int:
    """Return how many levels the folder and what is in it take."""
    parents = _parents()
    level, height = {folder_id}, 0
    while level:
        height += 1
        level = {child for child, parent in parents.items() if parent in level}
    return height


def _check_depth(parent_id: int | None, *, height: int) -> None:
    above = len(_line_of(parent_id)) if parent_id is not None else 0
    if above + height > DEEPEST:
        raise FolderRefused(f"Folders nest at most {DEEPEST} deep.")
