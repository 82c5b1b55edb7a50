"""Lines of field, action and values, for any form that says what shall be changed (crm.bulk.Change).

Posted as line-<n>-field, line-<n>-action, line-<n>-value-<m>; the action's type decides the inputs. `more`, `drop` (a
number) and `redraw` ask for the form again instead of saving it. Works without a script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import QueryDict

from crm.bulk import Change, Target, change_problems
from crm.bulk.targets import changeable
from crm.criteria.choices import choices_of
from crm.criteria.fields import GROUPS, fields_by_key

MOST_LINES = 20
REDRAWS = frozenset({"more", "drop", "redraw"})


def chosen_words(options: Sequence[tuple[str, str]], values: Sequence[str]) -> str:
    """Return what is chosen of a list in one line: `Norway, Sweden`, or `Norway, Sweden, Denmark and 4 more`."""
    names = [text for value, text in options if value in values]
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


@dataclass(frozen=True, slots=True)
class Input:
    """One value of a line."""

    name: str
    label: str
    type: str  # text | number | date | choice | choices
    values: tuple[str, ...] = ()
    options: list[tuple[str, str]] = field(default_factory=list)

    @property
    def value(self) -> str:
        """The value of an input that has one."""
        return self.values[0] if self.values else ""

    @property
    def summary(self) -> str:
        """What is chosen, of several."""
        return chosen_words(self.options, self.values)


@dataclass(frozen=True, slots=True)
class LineView:
    """A line as a page shows it."""

    index: int
    field: str
    action: str
    actions: list[tuple[str, str]]
    inputs: list[Input]
    errors: list[str]


class ChangeLines:
    """The lines that were posted, or those that are kept."""

    def __init__(self, *, data: QueryDict | None, kept: Sequence[Change]) -> None:
        self.targets = changeable()
        self.by_key = {target.key: target for target in self.targets}
        self.kept = kept
        self.lines = list(kept) if data is None else self._posted(data)
        self.errors: dict[int, list[str]] = {}

    def check(self) -> bool:
        """Judge the lines that have values; a line without one may wait. Say whether all of them can be made."""
        for index, change in enumerate(self.lines):
            if change.field and any(str(value).strip() for value in change.values):
                found = change_problems(change) or self._retired(change)
                if found:
                    self.errors[index] = found
        return not self.errors

    def _retired(self, change: Change) -> list[str]:
        """Refuse values that nobody can choose anew; where one was kept for this field, it may stay."""
        target = self.by_key[change.field]
        found = fields_by_key([target.key]).get(target.key) if target.choices else None
        if found is None:
            return []
        kept = {str(value) for line in self.kept if line.field == change.field for value in line.values}
        given = {str(value) for value in change.values} - kept
        gone = [one.name for one in choices_of(found) if one.retired and one.value in given]
        return [f"{target.label}: “{name}” is no longer offered." for name in gone]

    @property
    def changes(self) -> list[Change]:
        """The lines that name a field."""
        return [change for change in self.lines if change.field]

    @property
    def views(self) -> list[LineView]:
        """Every line, and an empty one where there is none."""
        return [self._view(index, change) for index, change in enumerate(self.lines or [Change("", "set")])]

    @property
    def groups(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The fields that may be written, by group."""
        found = [(group, [(t.key, t.label) for t in self.targets if t.group == group]) for group in GROUPS]
        return [(group, options) for group, options in found if options]

    def _posted(self, data: QueryDict) -> list[Change]:
        gone = data.get("drop", "")
        found = []
        for index in range(MOST_LINES):
            key = data.get(f"line-{index}-field")
            if key is None or str(index) == gone:
                continue
            found.append(self._line(data, index, key))
        if "more" in data and len(found) < MOST_LINES:
            found.append(Change("", "set"))
        return found

    def _line(self, data: QueryDict, index: int, key: str) -> Change:
        target = self.by_key.get(key)
        if target is None:
            return Change(key, "set")
        actions = target.actions
        named = data.get(f"line-{index}-action", "")
        action = next((one for one in actions if one.name == named), actions[0])
        if action.slots == ("values",):
            values = tuple(data.getlist(f"line-{index}-value-0"))
        else:
            values = tuple(data.get(f"line-{index}-value-{slot}", "") for slot in range(len(action.slots)))
        return Change(key, action.name, values)

    def _view(self, index: int, change: Change) -> LineView:
        target = self.by_key.get(change.field)
        return LineView(
            index=index,
            field=change.field,
            action=change.action,
            actions=[(a.name, a.label) for a in target.actions] if target else [],
            inputs=self._inputs(index, change, target) if target else [],
            errors=self.errors.get(index, []),
        )

    def _inputs(self, index: int, change: Change, target: Target) -> list[Input]:
        action = next((one for one in target.actions if one.name == change.action), None)
        if action is None:
            return []
        given = tuple(str(value) for value in change.values)
        if action.slots == ("values",):
            options = self._options(target, given)
            return [Input(f"line-{index}-value-0", "Values", "choices", given, options)]
        pairs = [(slot, given[n] if n < len(given) else "") for n, slot in enumerate(action.slots)]
        labels = ("Search for", "Replace with") if len(pairs) > 1 else ("Value",)
        return [
            Input(
                f"line-{index}-value-{n}",
                labels[n],
                _type(slot, target),
                (value,),
                self._options(target, (value,)),
            )
            for n, (slot, value) in enumerate(pairs)
        ]

    def _options(self, target: Target, given: Sequence[str]) -> list[tuple[str, str]]:
        """What may be chosen; a retired value only where it is chosen already."""
        if not target.choices:
            return []
        found = fields_by_key([target.key]).get(target.key)
        if found is None:
            return []
        return [
            (choice.value, choice.name)
            for choice in choices_of(found)
            if not choice.retired or choice.value in given
        ]


def _type(slot: str, target: Target) -> str:
    if slot in {"number", "days"}:
        return "number"
    if slot == "text":
        return "text"
    by_type = {"number": "number", "date": "date", "item": "choice", "user": "choice", "code": "choice"}
    return by_type.get(target.type, "text")
