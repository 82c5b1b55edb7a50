"""Events from outside as triggers and success criteria: an event's name, and simple conditions on its data.

Matching is pure, over the event's data alone; a path that leads nowhere is a value that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from core.text import norm
from flows.event_filter import EventFilter
from flows.steps.base import Problem, StepSettings

MOST_CONDITIONS = 20
OPERATORS: Final = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "gt": ">",
    "ge": "≥",
    "lt": "<",
    "le": "≤",
    "is_set": "is set",
    "is_empty": "is empty",
}
WITHOUT_VALUE: Final = frozenset({"is_set", "is_empty"})
NUMERIC: Final = frozenset({"gt", "ge", "lt", "le"})


class Condition(StepSettings):
    """What one value of the data must be; the path leads to it by names and numbers: `order.lines.0.sku`."""

    path: str = ""
    operator: str = "is"
    value: str = ""


class OutsideSettings(StepSettings):
    """The event's name, and conditions that must all hold."""

    name: str = ""
    conditions: tuple[Condition, ...] = ()


def outside_filter(settings: OutsideSettings) -> EventFilter:
    """Return the events with this name whose data hold what is wanted; none while there is no name."""
    keys = (settings.name,) if settings.name else ()
    return EventFilter(
        "outside", object_keys=keys, accepts=lambda data: holds(settings.conditions, data.get("data"))
    )


def holds(conditions: Sequence[Condition], data: Any) -> bool:
    """Say whether all conditions hold for the data that were posted."""
    return all(_holds(condition, value_at(data, condition.path)) for condition in conditions)


def value_at(data: Any, path: str) -> Any:
    """Return the value that the path leads to, None where it leads nowhere."""
    for part in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and part.isascii() and part.isdigit() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data


def _holds(condition: Condition, have: Any) -> bool:
    if condition.operator in WITHOUT_VALUE:
        return (have in (None, "", [], {})) == (condition.operator == "is_empty")
    if condition.operator in NUMERIC:
        return _compares(condition.operator, _number(have), _number(condition.value))
    same = any(_is(one, condition) for one in (have if isinstance(have, list) else [have]))
    return not same if condition.operator == "is_not" else same


def _is(have: Any, condition: Condition) -> bool:
    """Text without regard to case; true and false are yes and no too; of a list any element will do."""
    if have is None or isinstance(have, (dict, list)):
        return False
    words = {"true", "yes"} if have is True else {"false", "no"} if have is False else {norm(str(have))}
    wanted = norm(condition.value)
    if condition.operator == "contains":
        return bool(wanted) and any(wanted in word for word in words)
    if wanted in words:
        return True
    number = _number(have)
    return number is not None and number == _number(condition.value)


_COMPARE: Final[Mapping[str, Callable[[Decimal, Decimal], bool]]] = {
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


def _compares(operator: str, have: Decimal | None, want: Decimal | None) -> bool:
    return have is not None and want is not None and _COMPARE[operator](have, want)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


# --- words and problems -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Words:
    """Settings in words."""

    settings: OutsideSettings

    def __str__(self) -> str:
        if not self.settings.name:
            return "No event chosen yet"
        conditions = " and ".join(map(_words, self.settings.conditions))
        return f"“{self.settings.name}”" + (f" where {conditions}" if conditions else "")


def _words(condition: Condition) -> str:
    operator = OPERATORS.get(condition.operator, "…")
    value = "" if condition.operator in WITHOUT_VALUE else f" “{condition.value}”"
    return f"{condition.path or '…'} {operator}{value}"


def outside_problems(settings: OutsideSettings) -> Iterator[Problem]:
    """Yield what is missing or wrong."""
    if not settings.name:
        yield Problem("Say which event", place="name")
    for condition in settings.conditions:
        if not condition.path:
            yield Problem("A condition names no value of the event", place="conditions")
        elif condition.operator not in OPERATORS:
            yield Problem(f"{condition.path}: choose how to compare", place="conditions")
        elif condition.operator in NUMERIC and _number(condition.value) is None:
            yield Problem(f"{condition.path}: “{condition.value}” is no number", place="conditions")
        elif condition.operator not in WITHOUT_VALUE and not condition.value:
            yield Problem(f"{condition.path}: a value is missing", place="conditions")
