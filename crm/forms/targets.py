"""A form over fields that may be written (crm.bulk.targets): its widgets, its errors, and the changes it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms

from crm.bulk.changes import BadChange, Change, read_change
from crm.bulk.targets import Target
from crm.criteria.choices import Choice, list_items, users
from crm.places import COUNTRIES, LANGUAGES, timezones

_CODES = {"country": COUNTRIES, "language": LANGUAGES}
_AUTOCOMPLETE = {"contact.first_name": "off", "contact.last_name": "off", "contact.email": "off"}


class TargetForm(forms.Form):
    """Fields named by target key with "." and "-" as "_"; `changes()` sets what is filled and clears what is not."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        targets: Sequence[Target],
        values: Mapping[str, Any] | None = None,
        country: str = "",
        help_texts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data)
        self.targets = list(targets)
        self.country = country
        choices = _Choices()
        for target in self.targets:
            name = field_name(target)
            self.fields[name] = _field(target, choices)
            self.fields[name].help_text = (help_texts or {}).get(target.key, "")
            self.initial[name] = _initial(target, (values or {}).get(target.key))

    def clean(self) -> dict[str, Any]:
        """Put what a value is not at its field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        country = cleaned.get("contact_country") or cleaned.get("company_country") or self.country
        for change, target in zip(self.changes(), self.targets, strict=True):
            try:
                read_change(change, target, country)
            except BadChange as problem:
                self.add_error(
                    field_name(target), str(problem).removeprefix(f"{target.label}: ").capitalize()
                )
        return cleaned

    def changes(self) -> list[Change]:
        """Return one change for each field."""
        return [_change(target, self.cleaned_data.get(field_name(target))) for target in self.targets]


def field_name(target: Target) -> str:
    """Return the form field's name."""
    return target.key.replace(".", "_").replace("-", "_")


class _Choices:
    """Lists read once a form."""

    def __init__(self) -> None:
        self.read: dict[tuple[str, int | None], list[Choice]] = {}

    def of(self, target: Target) -> list[Choice]:
        """Return what may be chosen."""
        key = (target.choices, target.custom_id)
        if key not in self.read:
            found = (
                users() if target.choices == "user" else list_items(target.choices, field_id=target.custom_id)
            )
            self.read[key] = found
        return self.read[key]


def _field(target: Target, choices: _Choices) -> forms.Field:
    common: dict[str, Any] = {"label": target.label, "required": False}
    match target.type:
        case "items":
            offered = [(c.value, c.name) for c in choices.of(target) if not c.retired]
            return forms.MultipleChoiceField(choices=offered, widget=forms.CheckboxSelectMultiple, **common)
        case "item" | "user":
            names = [(c.value, f"{c.name} (retired)" if c.retired else c.name) for c in choices.of(target)]
            return forms.ChoiceField(choices=[("", "–"), *names], **common)
        case "code":
            return forms.ChoiceField(choices=[("", "–"), *_CODES[target.choices].items()], **common)
        case "bool":
            return forms.BooleanField(**common)
    if target.key == "contact.timezone":
        return forms.ChoiceField(choices=[("", "The company's"), *((z, z) for z in timezones())], **common)
    long_text = target.type == "text" and target.longest > 200
    attrs = {"autocomplete": _AUTOCOMPLETE.get(target.key, "off")}
    widgets: dict[str, Callable[..., forms.Widget]] = {
        "date": lambda attrs: forms.TextInput({**attrs, "type": "date"}),
        "phone": lambda attrs: forms.TextInput({**attrs, "type": "tel"}),
        "number": lambda attrs: forms.TextInput({**attrs, "inputmode": "decimal"}),
    }
    widget = forms.Textarea(attrs) if long_text else widgets.get(target.type, forms.TextInput)(attrs)
    return forms.CharField(widget=widget, max_length=target.longest or 250, **common)


def _initial(target: Target, value: Any) -> Any:
    if target.type == "items":
        return [str(item) for item in sorted(value or ())]
    if target.type == "bool":
        return bool(value)
    if target.type == "number" and value is not None:
        return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
    return "" if value is None else str(value)


def _change(target: Target, value: Any) -> Change:
    if target.type == "bool":
        return Change(target.key, "yes" if value else "no")
    if target.type == "items":
        return Change(target.key, "replace", tuple(value)) if value else Change(target.key, "clear")
    text = str(value or "").strip()
    return Change(target.key, "set", (text,)) if text else Change(target.key, "clear")
