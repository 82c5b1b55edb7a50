"""In use: what a flow that exists names cannot be deleted (spec §5). Usage rows are written by the rooms above."""

from __future__ import annotations

from collections.abc import Sequence

from crm.models import Usage


class InUse(ValueError):
    """Something is used and cannot be deleted; `uses` say where, each with its URL."""

    def __init__(self, name: str, uses: Sequence[Usage]) -> None:
        places = len({(use.user_kind, use.user_id) for use in uses})
        super().__init__(
            f"{name} is used in {places} place{'' if places == 1 else 's'} and cannot be deleted."
        )
        self.uses = list(uses)


def uses_of(kind: str, object_id: int) -> list[Usage]:
    """Return where something is used, by name."""
    return list(
        Usage.objects.filter(used_kind=kind, used_id=object_id).order_by("user_name", "place", "id")[:50]
    )


def check_unused(kind: str, object_id: int, name: str) -> None:
    """Raise InUse where something is used."""
    if uses := uses_of(kind, object_id):
        raise InUse(name, uses)
