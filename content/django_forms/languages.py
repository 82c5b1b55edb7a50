"""The words of an email in one language, as the page of all languages draws them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from content.blocks.texts import Key, Text, texts_of, with_texts
from content.blocks.tree import Unreadable
from content.languages import language_choices, language_name
from content.models import Email, EmailVariant
from content.operations.emails import Draft

_LONGEST = 100_000


class AddLanguageForm(forms.Form):
    """Which language comes next."""

    language = forms.ChoiceField(label="Language", widget=forms.Select(attrs={"class": "form-select"}))

    def __init__(self, *args: Any, taken: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", "Choose…"), *language_choices(without=taken)]  # type: ignore[attr-defined]


class OwnLanguageForm(forms.Form):
    """Which language the email itself is written in."""

    own = forms.ChoiceField(
        label="The email itself is in", required=False, widget=forms.Select(attrs={"class": "form-select"})
    )

    def __init__(self, *args: Any, taken: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["own"].choices = [("", "Not said"), *language_choices(without=taken)]  # type: ignore[attr-defined]


class LanguageForm(forms.Form):
    """Subject, preheader and every text of the email itself or of a variant."""

    subject = forms.CharField(max_length=400, label="Subject", required=False)
    preheader = forms.CharField(max_length=400, label="Preheader", required=False)

    def __init__(self, piece: Email | EmailVariant, name: str, data: Mapping[str, Any] | None = None) -> None:
        self.language = piece.language if isinstance(piece, EmailVariant) else ""
        own = piece.language or ""
        self.label = language_name(own) if own else "Default"
        self.name, self.piece, self.texts = name, piece, _texts(piece.mjml)
        initial = {"subject": piece.subject, "preheader": piece.preheader}
        super().__init__(
            data,
            prefix=self.language or "own",
            initial=initial | {_field_name(text.key): text.value for text in self.texts},
        )
        for text in self.texts:
            self.fields[_field_name(text.key)] = _field(text)
        for field_name, field in self.fields.items():
            field.label = f"{field.label}, {self.label}"
            field.widget.attrs |= {"autocomplete": "off", "lang": own, "data-tags": ""}
            if field_name in {"subject", "preheader"}:
                field.widget.attrs["dir"] = "auto"

    def cell(self, key: Key) -> forms.BoundField | None:
        """Return the field of a place, or None where this language has nothing there."""
        name = _field_name(key)
        return self[name] if name in self.fields else None

    @property
    def elsewhere(self) -> int:
        """How many texts stand in the source of this language."""
        return len(self.texts)

    def draft(self) -> Draft:
        """Return what the writer handed in; a text that was not sent stays as it is."""
        data = self.cleaned_data
        values = {
            text.key: data[name].replace("\r\n", "\n")
            for text in self.texts
            if (name := _field_name(text.key)) in data and self.add_prefix(name) in self.data
        }
        before = Draft.of(self.piece, self.name)
        return Draft(
            self.name, data["subject"], with_texts(self.piece.mjml, values) if values else self.piece.mjml,
            data["preheader"], before.own_text,
        )  # fmt: skip


def _texts(source: str) -> list[Text]:
    try:
        return texts_of(source)
    except Unreadable:
        return []


def _field_name(key: Key) -> str:
    return f"{key[0].replace('.', '-')}--{key[1].replace('.', '-')}"


def _field(text: Text) -> forms.CharField:
    if text.setting.widget in {"rich", "source"}:
        area = forms.Textarea(attrs={"rows": 4, "dir": "auto"})
        return forms.CharField(
            label=text.label, widget=area, strip=False, max_length=_LONGEST, required=False
        )
    widget = forms.TextInput(attrs={} if text.setting.widget == "link" else {"dir": "auto"})
    return forms.CharField(label=text.label, max_length=2_000, required=False, widget=widget)
