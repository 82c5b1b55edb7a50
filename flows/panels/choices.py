"""Choices that several panels offer."""

from __future__ import annotations

from flows.models import FlowFolder


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
