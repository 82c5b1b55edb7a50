"""Where users and groups are used by rooms above (settings.USES_OF, a dotted path): steps of flows, above all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string


class Use(Protocol):
    """A place that uses something: what it is called, where in it, and the page that opens it."""

    @property
    def user_name(self) -> str: ...

    @property
    def place(self) -> str: ...

    @property
    def url(self) -> str: ...


def uses_of(kind: str, object_id: int) -> Sequence[Use]:
    """Return where a user or group ("user", "group") is used, by name."""
    find = cast("Callable[[str, int], Sequence[Use]]", import_string(settings.USES_OF))
    return find(kind, object_id)


def uses_text(uses: Sequence[Use]) -> str:
    """Return the first uses in words: `“Welcome” (Hand out), “Win back” (Tell)`."""
    named = [f"“{use.user_name}”{f' ({use.place})' if use.place else ''}" for use in uses]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return ", ".join(named[:3]) + more
