"""The settings panel of Update contact: lines of field, action and values; the action's type decides the inputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict

from crm.bulk import ACTIONS, Change, Target, change_problems, targets
from crm.criteria.choices import choices_of
from crm.criteria.fields import GROUPS, fields_by_key
from flows.steps.forms import StepForm

MOST_LINES = 20


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


@dataclass(frozen=True, slots=True)
class LineView:
    """A line as the panel shows it."""

    index: int
    field: str
    action: str
    actions: list[tuple[str, str]]
    inputs: list[Input]
    errors: list[str]


class UpdateContactForm(StepForm):
    """See the module. Posted as line-<n>-field, line-<n>-action, line-<n>-value-<m>."""

    template = "flows/steps/update_contact.html"

    def prepare(self) -> None:
        """Read the lines that were posted, or those of the step."""
        self.targets = targets()
        self.by_key = {target.key: target for target in self.targets}
        self.lines = (
            self._posted(self.data) if isinstance(self.data, QueryDict) and self.is_bound else self._kept()
        )
        self.line_errors: dict[int, list[str]] = {}

    def clean(self) -> dict[str, Any]:
        """Refuse values that are none; a line without a value may wait."""
        cleaned = super().clean() or {}
        for index, change in enumerate(self.lines):
            if change.field and any(str(value).strip() for value in change.values):
                found = change_problems(change)
                if found:
                    self.line_errors[index] = found
        if self.line_errors:
            raise forms.ValidationError("Some of the changes cannot be made.")
        return cleaned

    def settings(self) -> dict[str, Any]:
        """Return the lines that name a field."""
        kept = [change for change in self.lines if change.field]
        return {"lines": [{"field": c.field, "action": c.action, "values": list(c.values)} for c in kept]}

    @property
    def line_views(self) -> list[LineView]:
        """Every line, and an empty one where there is none."""
        return [self._view(index, change) for index, change in enumerate(self.lines or [Change("", "set")])]

    @property
    def field_groups(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The fields that may be written, by group."""
        return [
            (group, [(t.key, t.label) for t in self.targets if t.group == group])
            for group in GROUPS
            if any(t.group == group for t in self.targets)
        ]

    def _kept(self) -> list[Change]:
        lines = self.initial.get("lines", ())
        return [Change(line.field, line.action, line.values) for line in lines]

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
        actions = ACTIONS[target.type]
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
            actions=[(a.name, a.label) for a in ACTIONS[target.type]] if target else [],
            inputs=self._inputs(index, change, target) if target else [],
            errors=self.line_errors.get(index, []),
        )

    def _inputs(self, index: int, change: Change, target: Target) -> list[Input]:
        action = next((one for one in ACTIONS[target.type] if one.name == change.action), None)
        if action is None:
            return []
        given = tuple(str(value) for value in change.values)
        if action.slots == ("values",):
            return [Input(f"line-{index}-value-0", "Values", "choices", given, self._options(target))]
        pairs = [(slot, given[n] if n < len(given) else "") for n, slot in enumerate(action.slots)]
        labels = ("Search for", "Replace with") if len(pairs) > 1 else ("Value",)
        return [
            Input(f"line-{index}-value-{n}", labels[n], _type(slot, target), (value,), self._options(target))
            for n, (slot, value) in enumerate(pairs)
        ]

    def _options(self, target: Target) -> list[tuple[str, str]]:
        if not target.choices:
            return []
        found = fields_by_key([target.key]).get(target.key)
        return (
            [(choice.value, choice.name) for choice in choices_of(found) if not choice.retired]
            if found
            else []
        )


def _type(slot: str, target: Target) -> str:
    if slot in {"number", "days"}:
        return "number"
    if slot == "text":
        return "text"
    by_type = {"number": "number", "date": "date", "item": "choice", "user": "choice", "code": "choice"}
    return by_type.get(target.type, "text")
