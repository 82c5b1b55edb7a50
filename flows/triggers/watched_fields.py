"""The fields whose changes a trigger may name: what can be written, a contact's company, consents, subscriptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crm.bulk import Target, targets
from crm.criteria.choices import Choice, choices_of, code_name, names_of, source_of
from crm.criteria.field import COMPANY, CONSENT, CONTACT, Field
from crm.criteria.fields import all_fields
from crm.criteria.operators import read_id
from crm.criteria.schema import Value


@dataclass(frozen=True, slots=True)
class Watched:
    """A field that may change: how its values are typed in, and where their names are."""

    key: str
    label: str
    group: str
    input: str  # text | number | date | choices
    source: str = ""
    custom_id: int | None = None
    field: Field | None = None

    @property
    def choices(self) -> list[Choice]:
        """The values that may be chosen."""
        if self.field is None or self.input != "choices":
            return []
        if self.field.type == "bool":
            return [Choice("yes", "yes"), Choice("no", "no")]
        return choices_of(self.field)


_NO_TARGET = (
    Watched("contact.company", "Company (by name)", CONTACT, "text"),
    Watched("company.name", "Company name", COMPANY, "text"),
)


def watched_fields() -> list[Watched]:
    """Return every field whose change can be told, in the order of the menu. Four queries."""
    by_key = {field.key: field for field in all_fields()}
    written = [_of_target(target, by_key.get(target.key)) for target in targets()]
    opted = [_of_field(field) for field in by_key.values() if field.group == CONSENT]
    groups = (CONTACT, COMPANY, CONSENT)
    return sorted([*written, *_NO_TARGET, *opted], key=lambda one: groups.index(one.group))


def watched_by_key(keys: Iterable[str]) -> dict[str, Watched]:
    """Return those with these keys; unknown ones are left out. No query where there are none."""
    wanted = set(keys)
    return {one.key: one for one in watched_fields() if one.key in wanted} if wanted else {}


def _of_target(target: Target, field: Field | None) -> Watched:
    kind = {"number": "number", "date": "date"}.get(target.type, "text")
    if target.type in {"bool", "item", "items", "user", "code"}:
        kind = "choices"
    source = source_of(field) if field is not None and kind == "choices" and field.type == "list" else ""
    return Watched(target.key, target.label, target.group, kind, source, target.custom_id, field)


def _of_field(field: Field) -> Watched:
    return Watched(field.key, field.label, field.group, "choices", field=field)


def value_words(watched: Watched, values: Sequence[Value]) -> list[str]:
    """Return chosen values in words."""
    if watched.source:
        names = names_of({watched.source: [found for value in values if (found := read_id(value))]})
        known = names[watched.source]
        return [known.get(read_id(value) or 0, "a value that is gone") for value in values]
    if watched.field is not None and watched.field.shape == "code":
        return [code_name(watched.field, str(value)) for value in values]
    return [f"“{value}”" if watched.input == "text" else str(value) for value in values]
