"""The form of one block, made from its kind's settings. What is right in an email is judged by the compiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from content.blocks.fields import value_of
from content.blocks.kinds import BlockKind, Setting
from content.blocks.tree import Node

PREFIX = "b"
_LONGEST = 100_000


class BlockForm(forms.Form):
    """Fields are named b-<setting>."""

    def __init__(self, kind: BlockKind, node: Node, data: Mapping[str, Any] | None = None) -> None:
        initial = {setting.name: value_of(setting, node) for setting in kind.settings}
        super().__init__(data, prefix=PREFIX, initial=initial)
        self.kind = kind
        for setting in kind.settings:
            self.fields[setting.name] = _field(setting, str(initial[setting.name]))

    def __iter__(self) -> Iterator[Any]:
        """Yield each field with its widget's name."""
        for setting in self.kind.settings:
            yield Drawn(self[setting.name], setting)

    def values(self) -> dict[str, str | bool]:
        """Return what was handed in; a field that was not, or makes no sense, is left out."""
        self.full_clean()
        found = {name: value for name, value in self.cleaned_data.items() if self._was_sent(name)}
        return {
            name: value.replace("\r\n", "\n") if isinstance(value, str) else value
            for name, value in found.items()
        }

    def _was_sent(self, name: str) -> bool:
        field = self.fields[name]
        if isinstance(field, forms.BooleanField):
            return True
        key = self.add_prefix(name)
        # An empty choice is right only where it is offered: Django takes it for "not chosen".
        offered = not isinstance(field, forms.ChoiceField) or field.valid_value(self.data.get(key))
        return key in self.data and offered


@dataclass(frozen=True, slots=True)
class Drawn:
    """A field as the template draws it."""

    field: forms.BoundField
    setting: Setting


def _field(setting: Setting, value: str) -> forms.Field:
    common: dict[str, Any] = {"label": setting.label, "required": False, "help_text": setting.help}
    marks = {"data-tags": ""} if setting.tags else {}
    if setting.widget == "check":
        return forms.BooleanField(**common)
    if setting.widget == "choice":
        choices = list(setting.choices)
        if value not in dict(choices):
            choices.append((value, f"As written: {value}" if value else "As written"))
        return forms.ChoiceField(choices=choices, **common)
    if setting.widget in {"rich", "source"}:
        rows = 6 if setting.widget == "rich" else 10
        attributes = {"rows": rows, "spellcheck": "true" if setting.widget == "rich" else "false", **marks}
        if setting.widget == "rich":
            attributes["dir"] = "auto"
        area = forms.Textarea(attrs=attributes)
        return forms.CharField(widget=area, strip=False, max_length=_LONGEST, **common)
    return forms.CharField(
        max_length=2_000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto", **marks}),
        **common,
    )
