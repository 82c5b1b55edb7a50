"""The panel of *contact updated*: lines of a field, and the values that it changes from and to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from crm.criteria.field import COMPANY, CONSENT, CONTACT
from crm.forms.change_lines import chosen_words
from flows.part_form import PartForm
from flows.triggers.watched_fields import Watched, watched_fields

MOST_LINES = 20
MOST_VALUES = 200


@dataclass(frozen=True, slots=True)
class Side:
    """The values of one side of a change."""

    name: str
    label: str
    type: str
    values: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()

    @property
    def value(self) -> str:
        """What stands in an input with one value."""
        return self.values[0] if self.values else ""

    @property
    def summary(self) -> str:
        """What is chosen, of several."""
        return chosen_words(self.options, self.values)


@dataclass(frozen=True, slots=True)
class LineView:
    """A line as the panel shows it."""

    index: int
    field: str
    is_gone: bool
    sides: tuple[Side, ...]


Kept = tuple[str, tuple[str, ...], tuple[str, ...]]


class ContactUpdatedForm(PartForm):
    """See the module. Posted as line-<n>-field, line-<n>-was, line-<n>-becomes."""

    template = "flows/panel/contact_updated.html"

    def prepare(self) -> None:
        """Read the lines that were posted, or those of the trigger."""
        self.known = {watched.key: watched for watched in watched_fields()}
        self.lines = self._posted(self.data) if isinstance(self.data, QueryDict) else self._kept()

    def settings(self) -> dict[str, Any]:
        """Return the lines that name a field."""
        kept = [line for line in self.lines if line[0]]
        return {
            "fields": [{"field": f, "was": list(was), "becomes": list(becomes)} for f, was, becomes in kept]
        }

    @property
    def line_views(self) -> list[LineView]:
        """Every line."""
        return [self._view(index, line) for index, line in enumerate(self.lines)]

    @property
    def field_groups(self) -> list[tuple[str, list[Watched]]]:
        """The fields by group."""
        return [
            (group, [watched for watched in self.known.values() if watched.group == group])
            for group in (CONTACT, COMPANY, CONSENT)
        ]

    def _kept(self) -> list[Kept]:
        return [
            (line.field, tuple(map(str, line.was)), tuple(map(str, line.becomes)))
            for line in self.initial.get("fields", ())
        ]

    def _posted(self, data: QueryDict) -> list[Kept]:
        found: list[Kept] = []
        for index in range(MOST_LINES):
            key = data.get(f"line-{index}-field")
            if key is not None and str(index) != data.get("drop", ""):
                sides = [self._values(data, f"line-{index}-{side}", key) for side in ("was", "becomes")]
                found.append((key[:100], sides[0], sides[1]))
        if "more" in data and len(found) < MOST_LINES:
            found.append(("", (), ()))
        return found

    def _values(self, data: QueryDict, name: str, key: str) -> tuple[str, ...]:
        """Read what was given; of a field that was changed for another, nothing that this one does not have."""
        given = [value.strip()[:500] for value in data.getlist(name) if value.strip()][:MOST_VALUES]
        watched = self.known.get(key)
        if watched is None or watched.input != "choices":
            return tuple(given[:1])
        offered = {choice.value for choice in watched.choices}
        return tuple(value for value in given if value in offered)

    def _view(self, index: int, line: Kept) -> LineView:
        key, was, becomes = line
        watched = self.known.get(key)
        if watched is None:
            return LineView(index, key, bool(key), ())
        several = watched.field is not None and watched.field.is_multiple
        labels = ("Taken off", "Put on") if several else ("From", "To")
        sides = tuple(
            Side(f"line-{index}-{name}", label, watched.input, values, self._options(watched, values))
            for name, label, values in zip(("was", "becomes"), labels, (was, becomes), strict=True)
        )
        return LineView(index, key, False, sides)

    def _options(self, watched: Watched, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return tuple((c.value, c.name) for c in watched.choices if not c.retired or c.value in values)
