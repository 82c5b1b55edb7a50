"""The merge values of one message, kept beside it so that it can be shown as it was sent.

Only what its version names, as JSON that gives dates and numbers back as such. Erasing a person takes them away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

KEY = "seen"
ROOTS = ("contact", "company", "our_contact", "service_contact", "tenant")
_DATE, _MOMENT, _NUMBER = "$date", "$moment", "$number"


def values_named(sources: Iterable[set[str]]) -> tuple[str, ...]:
    """Return the paths to values among those that sources name: without the steps on the way to a deeper one."""
    named = {path for source in sources for path in source if path.partition(".")[0] in ROOTS}
    return tuple(sorted(path for path in named if not any(other.startswith(f"{path}.") for other in named)))


def kept(context: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Return the values that the paths name ("contact.first_name", "company.custom.size"), fit for JSON."""
    found: dict[str, Any] = {}
    for path in paths:
        parts = path.split(".")
        value, place = context, found
        for depth, part in enumerate(parts):
            inner = value.get(part)
            if inner is None:
                break
            if isinstance(inner, Mapping) and depth < len(parts) - 1:
                value, place = inner, place.setdefault(part, {})
                continue
            place[part] = _plain(inner)
            break
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, dt.datetime):
        return {_MOMENT: value.isoformat()}
    if isinstance(value, dt.date):
        return {_DATE: value.isoformat()}
    if isinstance(value, Decimal):
        return {_NUMBER: str(value)}
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def restored(value: Any) -> Any:
    """Return kept values as they were."""
    if isinstance(value, list):
        return [restored(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, inner),) = value.items()
        if key in _READERS:
            return _READERS[key](inner)
    return {key: restored(inner) for key, inner in value.items()}


_READERS: Mapping[str, Callable[[str], Any]] = {
    _DATE: dt.date.fromisoformat,
    _MOMENT: dt.datetime.fromisoformat,
    _NUMBER: Decimal,
}
