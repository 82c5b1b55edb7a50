"""Choices that several panels offer."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import Membership
from flows.models import FlowFolder
from flows.visibility import UNSEEN, flows_in_sight, unseen_flows


def flow_choices(chosen: Iterable[int], *, but: int) -> list[tuple[str, str]]:
    """Return the other flows in sight by name; what was chosen and is not there stays under its own words."""
    pairs = list(flows_in_sight().exclude(pk=but).order_by("name").values_list("id", "name"))
    missing = [number for number in chosen if number not in dict(pairs)]
    unseen = unseen_flows(missing)
    pairs += [
        (number, UNSEEN.capitalize() if number in unseen else "A flow that was deleted") for number in missing
    ]
    return [(str(number), name) for number, name in pairs]


def folder_choices() -> list[tuple[str, str]]:
    """Return the folders with their places."""
    folders = {folder.pk: folder for folder in FlowFolder.objects.all()}

    def path(folder: FlowFolder) -> str:
        above = folders.get(folder.parent_id) if folder.parent_id else None
        return f"{path(above)} / {folder.name}" if above else folder.name

    return [
        ("", "No folder"),
        *sorted(((str(pk), path(f)) for pk, f in folders.items()), key=lambda pair: pair[1]),
    ]


def user_choices() -> list[tuple[str, str]]:
    """Return the tenant's active members by name."""
    members = Membership.objects.filter(is_active=True).select_related("user")
    return sorted(((str(member.user_id), str(member.user)) for member in members), key=lambda pair: pair[1])
