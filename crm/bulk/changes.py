"""One change of one field: reading its values, what it makes of an old value, what is wrong with it, its words.

Applying is pure: old value in, new value out, so every rule is tested without a database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crm import values as readers
from crm.bulk.targets import Action, Target, changeable_by_key
from crm.criteria.operators import read_id
from crm.criteria.schema import Value
from crm.models import ListItem
from crm.places import COUNTRIES, LANGUAGES

MOST_DAYS = 36_500


class BadChange(ValueError):
    """A change that cannot be made: an unknown field or action, or a value that is none."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field (crm.bulk.targets), an action of its type, and values in that action's order (JSON scalars)."""

    field: str
    action: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadyChange:
    """A change whose values have been read."""

    target: Target
    action: str
    values: tuple[Any, ...]

    def apply(self, old: Any, today: dt.date) -> Any:
        """Return the new value; `old` is None or "" where there is none, a frozenset for several choices."""
        if self.target.type == "text":
            return _apply_text(self, old or "")
        if self.target.type == "items":
            return _apply_items(self, old)
        if self.target.type == "bool":
            return not old if self.action == "toggle" else self.action == "yes"
        if self.action == "clear":
            return "" if self.target.type in {"email", "phone", "code", "url"} else None
        if self.action in {"add", "subtract"}:
            return _apply_number(self, old)
        return today + dt.timedelta(days=self.values[0]) if self.action == "today" else self.values[0]


def _apply_text(change: ReadyChange, old: str) -> str:
    if change.action == "clear":
        return ""
    if change.action == "append":
        new = f"{old}{change.values[0]}"
    elif change.action == "replace":
        new = old.replace(change.values[0], change.values[1])
    else:
        new = change.values[0]
    return str(new)[: change.target.longest].strip()


def _apply_number(change: ReadyChange, old: Decimal | None) -> Decimal:
    amount = change.values[0] if change.action == "add" else -change.values[0]
    new = (old or Decimal(0)) + amount
    # The column holds 15 digits before the point: what would not fit stays as it was.
    return new if abs(new) < Decimal(10) ** 15 else old or Decimal(0)


def _apply_items(change: ReadyChange, old: frozenset[int]) -> frozenset[int]:
    chosen = frozenset(change.values)
    return {"add": old | chosen, "remove": old - chosen, "replace": chosen, "clear": frozenset[int]()}[
        change.action
    ]


def read_change(change: Change, target: Target | None, country: str = "") -> ReadyChange:
    """Return the change with typed values; raises BadChange. List values are checked by change_problems."""
    if target is None:
        raise BadChange(f"The field {change.field!r} does not exist." if change.field else "Choose a field.")
    action = next((one for one in target.actions if one.name == change.action), None)
    if action is None:
        raise BadChange(f"{target.label}: choose what to do.")
    if action.slots == ("values",):
        return ReadyChange(target, action.name, _ids(target, change.values))
    if len(change.values) != len(action.slots):
        raise BadChange(f"{target.label} {action.label}: a value is missing.")
    pairs = zip(action.slots, change.values, strict=True)
    read = tuple(
        _read(target, slot, value, country, position) for position, (slot, value) in enumerate(pairs)
    )
    return ReadyChange(target, action.name, read)


def _ids(target: Target, values: tuple[Value, ...]) -> tuple[int, ...]:
    found = tuple(read_id(value) for value in values)
    if not found or None in found:
        raise BadChange(f"{target.label}: nothing is chosen.")
    return tuple(value for value in found if value is not None)


def _read(target: Target, slot: str, value: Value, country: str, position: int) -> Any:
    text = str(value).replace("\x00", "")
    if slot == "days":
        return _read_days(target, text)
    if slot == "text":
        if not text and position == 0:
            raise BadChange(f"{target.label}: a text is missing.")
        return text
    if slot == "number":
        return _need(target, readers.read_decimal(text), text, "a number")
    return _read_set(target, text, country)


def _read_set(target: Target, text: str, country: str) -> Any:
    if not text.strip():
        raise BadChange(f"{target.label}: a value is missing.")
    match target.type:
        case "text":
            if len(text.strip()) > target.longest:
                raise BadChange(f"{target.label}: at most {target.longest} characters.")
            return text.strip()
        case "item" | "user":
            return _need(target, read_id(text), text, "a choice")
        case "code":
            known: Mapping[str, str] = COUNTRIES if target.choices == "country" else LANGUAGES
            return _need(target, text if text in known else None, text, "in the list")
    reader, what = _readers(country)[target.type]
    return _need(target, reader(text), text, what)


def _readers(country: str) -> dict[str, tuple[Callable[[str], Any], str]]:
    return {
        "email": (readers.read_email, "an email address"),
        "phone": (lambda given: readers.read_phone(given, country), "a phone number (with its country code)"),
        "url": (readers.read_url, "a web address"),
        "number": (readers.read_decimal, "a number"),
        "date": (readers.read_day, "a date"),
    }


def _read_days(target: Target, text: str) -> int:
    try:
        days = int(text.strip() or "0")
    except ValueError:
        days = MOST_DAYS + 1
    return int(_need(target, days if abs(days) <= MOST_DAYS else None, text, "a number of days"))


def _need(target: Target, found: Any, text: str, what: str) -> Any:
    if found is None:
        raise BadChange(f"{target.label}: “{text[:80]}” is not {what}.")
    return found


# --- checking and words -------------------------------------------------------------------------------------------


def change_problems(change: Change) -> list[str]:
    """Return what is wrong with a change, empty if it can be made. At most two queries."""
    target = changeable_by_key([change.field]).get(change.field)
    try:
        ready = read_change(change, target)
    except BadChange as problem:
        return [str(problem)]
    if ready.target.type in {"item", "items"}:
        known = set(
            ListItem.objects.filter(
                pk__in=ready.values, list=ready.target.choices, field_id=ready.target.custom_id
            ).values_list("pk", flat=True)
        )
        if set(ready.values) - known:
            return [f"{ready.target.label}: a chosen value does not exist any more."]
    return []


def change_references(change: Change) -> Iterator[tuple[str, int]]:
    """Yield what a change uses, as (kind, id): custom_field, list_item, user."""
    target = changeable_by_key([change.field]).get(change.field)
    if target is None:
        return
    if target.custom_id is not None:
        yield "custom_field", target.custom_id
    kind = {"item": "list_item", "items": "list_item", "user": "user"}.get(target.type)
    if kind:
        yield from ((kind, found) for value in change.values if (found := read_id(value)))


def describe_change(change: Change) -> str:
    """Return a change in words: "Job title set to “Chef”"."""
    target = changeable_by_key([change.field]).get(change.field)
    if target is None:
        return "A field that is gone" if change.field else "…"
    action = next((one for one in target.actions if one.name == change.action), None)
    if action is None:
        return f"{target.label} …"
    return f"{target.label} {_words(target, action, change.values)}".rstrip()


def _words(target: Target, action: Action, values: tuple[Value, ...]) -> str:
    if not action.slots:
        return {"clear": "cleared", "toggle": "toggled"}.get(action.name, action.label)
    if action.name == "today" and values:
        return f"set to today {'+' if str(values[0])[:1] != '-' else ''}{values[0]} days"
    shown = _shown(target, values)
    if action.name == "replace" and action.slots == ("text", "text"):
        return "with {} replaced by {}".format(*shown) if len(shown) == 2 else "…"
    words = {"add": "plus", "subtract": "minus"} if target.type == "number" else {"append": "with appended"}
    return f"{words.get(action.name, action.label)} {', '.join(shown) or '…'}"


def _shown(target: Target, values: tuple[Value, ...]) -> list[str]:
    from crm.criteria.choices import names_of

    if target.type in {"item", "items", "user"}:
        source = "user" if target.type == "user" else "item"
        names = names_of({source: [found for value in values if (found := read_id(value))]})[source]
        return [names.get(read_id(value) or 0, "a value that is gone") for value in values]
    if target.type == "code":
        known: Mapping[str, str] = COUNTRIES if target.choices == "country" else LANGUAGES
        return [known.get(str(value), str(value)) for value in values]
    return [f"“{value}”" if target.type == "text" else str(value) for value in values]
