"""Contact updated: a value really changed, by any door but imports and bulk updates.

The change may be any of the contact's own, or of named fields, from and to chosen values. A company's value counts only
where the trigger names the field: category, business and our contact are the company's where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from core.text import norm
from crm.criteria.operators import read_id
from crm.criteria.schema import Value
from crm.events import Origin
from flows.document import Trigger
from flows.steps.base import CheckContext, Problem, Reference, StepSettings
from flows.triggers.base import EventFilter, TriggerKind
from flows.triggers.contact_updated_form import ContactUpdatedForm
from flows.triggers.watched_fields import Watched, value_words, watched_by_key

KINDS = frozenset({"contact.updated", "consent.given", "consent.withdrawn", "unsubscribed", "subscribed"})


class FieldChange(StepSettings):
    """A field, with the values that it changes from and to (none: any). Of interests: those taken off and put on."""

    field: str = ""
    was: tuple[Value, ...] = ()
    becomes: tuple[Value, ...] = ()


class ContactUpdatedSettings(StepSettings):
    """The fields, of which any one is enough; none means any change of the contact's own."""

    fields: tuple[FieldChange, ...] = ()


class ContactUpdated(TriggerKind):
    """See the module."""

    name = "contact_updated"
    label = "Contact updated"
    description = "A value really changed, by any way but imports and bulk updates."
    icon = "pencil-simple"
    event_kinds = KINDS
    Settings = ContactUpdatedSettings
    Form = ContactUpdatedForm

    def event_filter(self, trigger: Trigger) -> EventFilter:
        """Changes of the named fields; every kind of event that changes something has them in `changes`."""
        settings: ContactUpdatedSettings = self.settings(trigger)
        return EventFilter(
            "contact.updated",
            excluded_origins=frozenset({Origin.IMPORT, Origin.BULK, Origin.MERGE}),
            accepts=lambda data: accepts(settings.fields, data),
            also=KINDS,
        )

    def what(self, trigger: Trigger, names: CheckContext) -> str:
        """Say which changes."""
        settings: ContactUpdatedSettings = self.settings(trigger)
        if not settings.fields:
            return "Contact updated: any field"
        known = watched_by_key(change.field for change in settings.fields)
        return f"Contact updated: {', or '.join(_words(change, known) for change in settings.fields)}"

    def problems(self, trigger: Trigger, ctx: CheckContext) -> list[Problem]:
        """Fields and chosen values must exist."""
        settings: ContactUpdatedSettings = self.settings(trigger)
        known = watched_by_key(change.field for change in settings.fields)
        found = [
            Problem(text, place="fields") for change in settings.fields for text in _problems(change, known)
        ]
        return [*found, *super().problems(trigger, ctx)]

    def references(self, trigger: Trigger) -> Iterable[Reference]:
        """Yield custom fields, subscription types, list values and users, and what the criteria name."""
        settings: ContactUpdatedSettings = self.settings(trigger)
        known = watched_by_key(change.field for change in settings.fields)
        for change in settings.fields:
            if (watched := known.get(change.field)) is not None:
                yield from (Reference(kind, key) for kind, key in _uses(change, watched))
        yield from super().references(trigger)


# --- matching: pure, over an event's data -----------------------------------------------------------------------------


def accepts(wanted: Sequence[FieldChange], data: Mapping[str, Any]) -> bool:
    """Say whether an event's changes hold one that is wanted; without wishes, one that is not the company's."""
    lines = data.get("changes") or ()
    if not wanted:
        return any(not _of_company(line) for line in lines)
    return any(
        line.get("field") == change.field and _takes(change, line) for line in lines for change in wanted
    )


def _of_company(line: Mapping[str, Any]) -> bool:
    return bool(line.get("company")) or str(line.get("field", "")).startswith("company.")


def _takes(change: FieldChange, line: Mapping[str, Any]) -> bool:
    old, new = line.get("old"), line.get("new")
    if isinstance(old, list) or isinstance(new, list):
        before, after = _each(old), _each(new)
        return _any(change.was, before - after) and _any(change.becomes, after - before)
    return _any(change.was, {_word(old)}) and _any(change.becomes, {_word(new)})


def _each(value: Any) -> set[str]:
    several = value if isinstance(value, list) else [value]
    return {_word(one) for one in several} - {""}


def _any(wanted: Sequence[Value], seen: set[str]) -> bool:
    return not wanted or any(_word(value) in seen for value in wanted)


def _word(value: Any) -> str:
    """Return a value as it compares: without case, numbers without their idle zeros, yes and no in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = norm("" if value is None else str(value))
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    # A text may look like a number of any size: 1.0e9999999999 written out would fill the memory.
    plain = "." in text and number.is_finite() and abs(number.adjusted()) < 100
    return f"{number.normalize():f}" if plain else text


# --- words and problems -----------------------------------------------------------------------------------------------


def _words(change: FieldChange, known: Mapping[str, Watched]) -> str:
    watched = known.get(change.field)
    if watched is None:
        return "a field that is gone" if change.field else "…"
    text = watched.label
    if change.was:
        text += f" from {' or '.join(value_words(watched, change.was))}"
    if change.becomes:
        text += f" to {' or '.join(value_words(watched, change.becomes))}"
    return text


def _problems(change: FieldChange, known: Mapping[str, Watched]) -> Iterable[str]:
    watched = known.get(change.field)
    if watched is None:
        yield (
            "A field that is watched does not exist any more"
            if change.field
            else "Choose the field that changes"
        )
        return
    if watched.source:
        gone = [
            w for w in value_words(watched, (*change.was, *change.becomes)) if w == "a value that is gone"
        ]
        if gone:
            yield f"{watched.label}: a chosen value does not exist any more"


def _uses(change: FieldChange, watched: Watched) -> Iterable[tuple[str, int]]:
    if watched.custom_id is not None:
        yield "custom_field", watched.custom_id
    if watched.key.startswith("subscription."):
        yield "subscription_type", int(watched.key.removeprefix("subscription."))
    kind = {"item": "list_item", "user": "user"}.get(watched.source)
    if kind:
        yield from ((kind, found) for value in (*change.was, *change.becomes) if (found := read_id(value)))
