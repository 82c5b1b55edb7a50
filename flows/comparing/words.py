"""Differences in words: what they are called on the page, with settings as a marketer knows them.

Labels are those of the forms, values are looked up as the cards do. Queries: those of two check contexts and one for
all criteria, however much differs.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from crm.criteria.describe import describe_all
from crm.criteria.schema import Criteria
from flows.checking import check_context
from flows.comparing.compare import Change, Difference, What
from flows.comparing.names import LABELS, NAMED, Side, label_of, named_by, type_of
from flows.document import FlowDocument
from flows.steps.base import CheckContext

VERBS = {
    What.ADDED: ("Added", "plus"),
    What.REMOVED: ("Removed", "minus"),
    What.MOVED: ("Moved", "arrow-bend-down-right"),
    What.CHANGED: ("Changed", "pencil-simple"),
}
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Line:
    """One setting: its name, and what it was and is. Both are empty where only that it differs can be said."""

    label: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One difference as the page shows it. `part` opens it where the newer side still has it."""

    what: What
    verb: str
    icon: str
    type: str
    title: str
    place: str
    part: str
    lines: Sequence[Line]


def told(differences: Sequence[Difference], old: FlowDocument, new: FlowDocument) -> list[Told]:
    """Return differences from `old` to `new` in words, in their order."""
    if not differences:
        return []
    sides = Side(old, check_context(old)), Side(new, check_context(new))
    words = _Words(*sides, _criteria(differences))
    return [words.tell(one) for one in differences]


def _criteria(differences: Sequence[Difference]) -> Mapping[str, str]:
    """Describe all criteria among the values at once; by their JSON."""
    found: dict[str, Criteria] = {}
    for difference in differences:
        for change in difference.changes:
            for value in (change.before, change.after):
                criteria = _as_criteria(value)
                if criteria is not None:
                    found[_key(value)] = criteria
    return dict(zip(found, describe_all(list(found.values())), strict=True)) if found else {}


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _as_criteria(value: Any) -> Criteria | None:
    if not isinstance(value, dict) or "groups" not in value:
        return None
    try:
        criteria = Criteria.model_validate(value)
    except ValidationError:
        return None
    return None if criteria.is_empty else criteria


class _Words:
    def __init__(self, old: Side, new: Side, criteria: Mapping[str, str]) -> None:
        self.old, self.new, self.criteria = old, new, criteria

    def tell(self, one: Difference) -> Told:
        side = self.old if one.what == What.REMOVED else self.new
        verb, icon = VERBS[one.what]
        return Told(
            what=one.what,
            verb=verb,
            icon=icon,
            type=type_of(one, side),
            title=side.title(one),
            place=self._place(one),
            part="" if one.what == What.REMOVED else one.part,
            lines=list(self._lines(one)),
        )

    def _place(self, one: Difference) -> str:
        if one.id is None or one.of not in {"step", "branch", "note"} or one.what == What.CHANGED:
            return ""
        before, after = self.old.place(one), self.new.place(one)
        if one.what == What.MOVED:
            return f"from {before} to {after}" if before != after else _at(after)
        return _at(before if one.what == What.REMOVED else after)

    def _lines(self, one: Difference) -> Iterator[Line]:
        """Yield each setting whose values can be said; what cannot is said by the summaries of both sides."""
        unsaid = []
        for change in one.changes:
            before = self._value(one, change.name, change.before, self.old)
            after = self._value(one, change.name, change.after, self.new)
            if before is None or after is None or before == after:
                unsaid.append(change)
            else:
                yield Line(label_of(one, change.name, self.new), before or "nothing", after or "nothing")
        yield from self._summaries(one, unsaid)

    def _summaries(self, one: Difference, unsaid: Sequence[Change]) -> Iterator[Line]:
        if not unsaid:
            return
        before, after = self.old.summary(one), self.new.summary(one)
        if before != after:
            yield Line("What it does", before, after)
            return
        yield from (Line(label_of(one, change.name, self.new)) for change in unsaid)

    def _value(self, one: Difference, name: str, value: Any, side: Side) -> str | None:
        """Return a value in words; None where it is too much for a line."""
        if (one.of, name) == ("note", "step"):
            return side.above(uuid.UUID(value) if value else None)
        if isinstance(value, dict) and "groups" in value:
            return self.criteria.get(_key(value), "")
        if value in (None, "", [], ()):
            return ""
        kind = named_by(one, name, value, side)
        if kind:
            return _names(kind, value if isinstance(value, list) else [value], side.ctx)
        if isinstance(value, dict):
            return _compound(value, side.ctx)
        return _plain(one, name, value, side)


def _plain(one: Difference, name: str, value: Any, side: Side) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    return side.choice(one, name, value) or _shown(value) if isinstance(value, str) else None


def _names(kind: str, ids: Sequence[int], ctx: CheckContext) -> str:
    return ", ".join(ctx.name(kind, one) or f"a deleted {kind.replace('_', ' ')}" for one in ids)


def _shown(text: str) -> str:
    try:
        moment = dt.datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        moment = None
    if moment is not None:
        return f"{moment:%-d %B %Y, %H:%M}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _compound(value: dict[str, Any], ctx: CheckContext) -> str | None:
    """Return a small object (an exit, a sender, a timeframe) as `label: value`; None where it holds others."""
    if any(isinstance(inner, dict) for inner in value.values()):
        return None
    parts = []
    for key, inner in value.items():
        if inner in (None, "", [], False):
            continue
        shown = _names(NAMED[key], [inner], ctx) if key in NAMED else _flat(inner)
        parts.append(f"{LABELS.get(key, key.replace('_', ' '))}: {shown}")
    return ", ".join(parts) or "yes"


def _flat(value: Any) -> str:
    if value is True:
        return "yes"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def in_short(differences: Sequence[Difference], old: FlowDocument, new: FlowDocument, *, most: int) -> str:
    """Return differences as one line: Added “Wait”; moved “Welcome”; changed the filter. Titles only, no queries."""
    if not differences:
        return "Nothing changed"
    empty: CheckContext = CheckContext(document=new, names={}, licences=frozenset())
    sides = {True: Side(old, empty), False: Side(new, empty)}
    names: dict[What, list[str]] = {}
    for one in differences:
        names.setdefault(one.what, []).append(sides[one.what == What.REMOVED].short(one))
    phrases = [f"{VERBS[what][0].lower()} {_row(found, 4)}" for what, found in names.items()]
    text = "; ".join(phrases)
    text = text[0].upper() + text[1:]
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _row(names: Sequence[str], most: int) -> str:
    shown = list(dict.fromkeys(names))
    rest = len(shown) - most
    return ", ".join(shown[:most]) + (f" and {rest} more" if rest > 0 else "")


def _at(place: str) -> str:
    return f"at {place}" if place.startswith("the start") else place
