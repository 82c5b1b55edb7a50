"""Choices that several panels offer."""

from __future__ import annotations

from accounts.models import Membership
from flows.models import Flow, FlowFolder
from flows.steps.forms import number_choices


def flow_choices(chosen: int | None, *, but: int, empty: str = "None") -> list[tuple[str, str]]:
    """Return the other flows by name."""
    pairs = list(
        Flow.objects.filter(deleted_at=None).exclude(pk=but).order_by("name").values_list("id", "name")
    )
    return number_choices(pairs, chosen, "A flow that was deleted", empty=empty)


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
