"""What the forms of sales and requests share: choices that keep what was chosen, and a key against sending twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from crm.criteria.choices import users
from crm.models.choices import NamedChoice

Choices = list[tuple[str, str]]


def to_id(text: str) -> int | None:
    """Return the id of a chosen option, or None."""
    return int(text) if text else None


def id_field(label: str, *, required: bool = True, help_text: str = "") -> forms.TypedChoiceField:
    """Return a select of ids; `offer` fills it in."""
    return forms.TypedChoiceField(
        label=label, required=required, coerce=to_id, empty_value=None, help_text=help_text
    )


def offer(form: forms.Form, name: str, choices: Sequence[Any]) -> None:
    """Give a choice field of a form its choices."""
    form.fields[name].choices = choices  # type: ignore[attr-defined]  # only choice fields are named here


def named_choices(rows: Iterable[NamedChoice], chosen: int | None) -> Choices:
    """Return what may be chosen; a retired one only where it is chosen already."""
    return [
        (str(row.pk), f"{row} (retired)" if row.retired else str(row))
        for row in rows
        if not row.retired or row.pk == chosen
    ]


def owner_choices(chosen: int | None, *, within: Sequence[int] | None) -> Choices:
    """Return the active members that may be made the owner (None: anybody), and who is it now."""
    return [
        (one.value, f"{one.name} (no longer active)" if one.retired else one.name)
        for one in users()
        if one.value == str(chosen) or (not one.retired and (within is None or int(one.value) in within))
    ]


class OnceForm(forms.Form):
    """A form with a key of its own: what is made of it is made once, however often it is sent."""

    form_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={"form_key": uuid.uuid4(), **(initial or {})})
