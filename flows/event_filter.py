"""Which events a trigger, a success criterion or a wait answers to. Matching a batch of them is participants'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LAST_CHANGED = "contact.updated_at"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Events of a kind (or one that is `also` taken), of these objects or keys (None: any), but not from these origins.

    `accepts` looks at the event's data and nothing else. `of_company` says that an event of the contact's company
    counts as well, whoever of the colleagues it is about (success criteria only).
    """

    kind: str
    object_ids: tuple[int, ...] | None = None
    object_keys: tuple[str, ...] | None = None
    excluded_origins: frozenset[str] = frozenset()
    accepts: Callable[[Mapping[str, Any]], bool] | None = None
    of_company: bool = False
    also: frozenset[str] = frozenset()

    def takes(
        self, kind: str, object_id: int | None, object_key: str, origin: str, data: Mapping[str, Any]
    ) -> bool:
        """Say whether one event passes."""
        if (kind != self.kind and kind not in self.also) or origin in self.excluded_origins:
            return False
        if self.object_ids is not None and object_id not in self.object_ids:
            return False
        if self.object_keys is not None and object_key not in self.object_keys:
            return False
        return self.accepts is None or self.accepts(data)


def changes_field(data: Mapping[str, Any], field: str) -> bool:
    """Say whether the data of a contact.updated event has a change of this field. Whatever of the contact's own changed
    moves the date of its last change."""
    changes = data.get("changes", ())
    if field == LAST_CHANGED:
        return any(not change.get("company") for change in changes)
    return any(change.get("field") == field for change in changes)
