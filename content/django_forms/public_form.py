"""The form that people outside fill in, built from its document. Every answer is judged here, whatever was posted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.html import urlize
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from content.forms.document import COMPANY_NAME, EMAIL, FormDocument, FormField
from content.forms.fields import Bound, changes_for
from content.uploads import WORDS, Upload, UploadRefused, read_upload
from core.text import norm_email
from crm import values
from crm.bulk import BadChange
from crm.bulk.changes import read_change

LONGEST = {"text": 250, "textarea": 5_000, "hidden": 250, "number": 40, "date": 40}
# What browsers may fill in by themselves (WCAG 1.3.5).
_AUTOCOMPLETE = {
    "contact.first_name": "given-name",
    "contact.last_name": "family-name",
    EMAIL: "email",
    "contact.mobile": "tel",
    "contact.phone": "tel",
    "contact.job_title": "organization-title",
    "contact.country": "country",
    "contact.language": "language",
    "contact.date_of_birth": "bday",
    COMPANY_NAME: "organization",
    "company.website": "url",
}
PREFIX = "f_"
# What is said of a value that its field cannot hold, by the field's type.
_WRONG = {
    "email": gettext_noop("This is not an email address. Write it as in name@example.com."),
    "phone": gettext_noop(
        "This is not a phone number. Write it with its country code, as in +47 22 12 34 56."
    ),
    "url": gettext_noop("This is not a web address. Write it as in https://example.com."),
    "number": gettext_noop("Write a number."),
    "date": gettext_noop("Write a date, as in 2026-11-24."),
}
_IMPOSSIBLE = gettext_noop("This answer is not possible.")


@dataclass(frozen=True, slots=True)
class Part:
    """A field with its input, a text, or a picture with its address."""

    field: FormField
    input: forms.BoundField | None
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked at once."""

    title: str
    parts: list[Part]


class PublicForm(forms.Form):
    """Fields are named f_<key>, so that no key can take the place of the page's own fields."""

    use_required_attribute = True

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        document: FormDocument,
        bound: Bound,
        country: str = "",
        initial: Mapping[str, Any] | None = None,
        files: MultiValueDict[str, Any] | None = None,
    ) -> None:
        self.uploads: dict[str, Upload] = {}
        super().__init__(data, files, initial={PREFIX + key: value for key, value in (initial or {}).items()})
        self.document, self.bound, self.country = document, bound, country
        for one in document.questions:
            built = _built(one, bound)
            if built is not None:
                self.fields[PREFIX + one.key] = built

    @property
    def parts(self) -> list[tuple[FormField, forms.BoundField | None]]:
        """Everything that the page shows, in order: texts without a field, fields with theirs."""
        return [
            (one, self[PREFIX + one.key] if PREFIX + one.key in self.fields else None)
            for one in self.document.fields
            if one.kind != "hidden" and (not one.asks or PREFIX + one.key in self.fields)
        ]

    @property
    def pages(self) -> list[Page]:
        """The parts page by page; a form without page breaks is one page."""
        pages = [Page("", [])]
        for one, field in self.parts:
            if one.kind == "page":
                pages.append(Page(one.label, []))
            else:
                pages[-1].parts.append(Part(one, field, self.bound.picture(one)))
        return [page for page in pages if page.parts] or pages[:1]

    def clean(self) -> dict[str, Any]:
        """Put what a value is not at its field."""
        cleaned = super().clean() or {}
        country = self._country(cleaned)
        for one in self.document.questions:
            name = PREFIX + one.key
            target, value = self.bound.target(one), cleaned.get(name)
            if one.kind == "file":
                self._read(one, value)
                continue
            try:
                if target is not None and value not in (None, "", [], False):
                    for change in changes_for(target, value):
                        read_change(change, target, country)
            except BadChange:
                self.add_error(name, _(_WRONG.get(target.type if target else "", _IMPOSSIBLE)))
            if one.kind == "number" and value and values.read_decimal(value) is None:
                self.add_error(name, _(_WRONG["number"]))
            if one.kind == "date" and value and values.read_day(value) is None:
                self.add_error(name, _(_WRONG["date"]))
        return cleaned

    def _read(self, one: FormField, file: Any) -> None:
        """Take a file in, or say at its field why not."""
        if not file:
            return
        try:
            upload = read_upload(file, name=file.name or "", size=file.size or 0, most_mb=one.most_mb)
        except UploadRefused as refused:
            self.add_error(PREFIX + one.key, str(refused))
        else:
            self.uploads[one.key] = upload

    def ask_for_files_again(self) -> None:
        """Say at its field that a good file has to be chosen once more: browsers keep none where a page comes back."""
        for one in self.document.questions:
            name = PREFIX + one.key
            if one.kind == "file" and name in self.files and name not in self.errors:
                self.add_error(name, _("Please choose the file again."))

    def _country(self, cleaned: Mapping[str, Any]) -> str:
        named = next((f for f in self.document.questions if f.target == "contact.country"), None)
        return (cleaned.get(PREFIX + named.key) if named else "") or self.country

    def answers(self) -> dict[str, Any]:
        """Return the answers by key, as they are kept: texts, lists of texts, yes and no. Empty ones are left out."""
        found = {}
        for one in self.document.questions:
            value = self.cleaned_data.get(PREFIX + one.key)
            if one.kind == "file":
                value = self.uploads[one.key].name if one.key in self.uploads else None
            if value in (None, "", []):
                continue
            type_ = target.type if (target := self.bound.target(one)) else one.kind
            if type_ == "number":
                number = values.read_decimal(str(value))
                value = f"{number.normalize():f}" if number is not None else value
            elif type_ == "date":
                day = values.read_day(str(value))
                value = day.isoformat() if day else value
            found[one.key] = value
        return found

    @property
    def email_norm(self) -> str:
        """The address that says whose answers they are, for comparing."""
        one = self.document.email_field
        return norm_email(str(self.cleaned_data.get(PREFIX + one.key, ""))) if one else ""


def _built(one: FormField, bound: Bound) -> forms.Field | None:
    """Return the Django field, or None where what it is bound to is gone."""
    common: dict[str, Any] = {
        "label": one.label, "required": one.required, "help_text": one.help,
        "error_messages": {"required": _("Please fill this in.")},
    }  # fmt: skip
    if one.kind == "hidden":
        return forms.CharField(required=False, max_length=LONGEST["hidden"], widget=forms.HiddenInput)
    if one.kind == "file":
        help_text = one.help or _("%(kinds)s; at most %(most)s MB.") % {
            "kinds": _(WORDS),
            "most": one.most_mb,
        }
        return forms.FileField(**{**common, "help_text": help_text}, max_length=250, allow_empty_file=True)
    if one.kind in {"consent", "subscription"}:
        common["label"] = urlize(one.label, nofollow=True, autoescape=True)
        common["error_messages"] = {"required": _("Please tick this box to go on.")}
        return forms.BooleanField(**common)
    if one.kind == "crm":
        return _bound_field(one, bound, common)
    choices = bound.choices(one)
    if choices:
        return _choice(one.kind, choices, common)
    widgets: dict[str, Callable[[dict[str, Any]], forms.Widget]] = {
        "textarea": lambda attrs: forms.Textarea({**attrs, "rows": 5}),
        "date": lambda attrs: forms.TextInput({**attrs, "type": "date"}),
        "number": lambda attrs: forms.TextInput({**attrs, "inputmode": "decimal"}),
    }
    widget = widgets.get(one.kind, forms.TextInput)({"dir": "auto"})
    return forms.CharField(max_length=LONGEST.get(one.kind, 250), widget=widget, **common)


def _choice(kind: str, choices: list[tuple[str, str]], common: dict[str, Any]) -> forms.Field:
    if kind in {"checkboxes", "items"}:
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **common)
    if kind in {"radio", "rating"}:
        return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **common)
    return forms.ChoiceField(choices=[("", _("Choose…")), *choices], **common)


def _bound_field(one: FormField, bound: Bound, common: dict[str, Any]) -> forms.Field | None:
    attrs: dict[str, Any] = {"dir": "auto"}
    if one.target in _AUTOCOMPLETE:
        attrs["autocomplete"] = _AUTOCOMPLETE[one.target]
    if one.target == COMPANY_NAME:
        return forms.CharField(max_length=200, widget=forms.TextInput(attrs), **common)
    target = bound.target(one)
    if target is None:
        return None
    if target.type == "bool":
        return forms.BooleanField(**common)
    choices = bound.choices(one)
    if target.type in {"item", "items", "code"}:
        field = _choice(target.type, choices, common)
        field.widget.attrs.update({"autocomplete": attrs["autocomplete"]} if "autocomplete" in attrs else {})
        return field
    types = {"email": "email", "phone": "tel", "date": "date"}
    if target.type in types:
        attrs["type"] = types[target.type]
    if target.type == "number":
        attrs["inputmode"] = "decimal"
    long_text = target.type == "text" and target.longest > 200
    widget: forms.Widget = forms.Textarea({**attrs, "rows": 5}) if long_text else forms.TextInput(attrs)
    longest = min(target.longest, LONGEST["textarea"]) if target.longest else 250
    return forms.CharField(max_length=longest, widget=widget, **common)
