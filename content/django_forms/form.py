"""The editor of a form: one form for each of its parts. What keeps a form from being open is judged elsewhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict

from accounts.models import Group
from content.actions import ContactActions
from content.django_forms.actions import ActionsForm
from content.forms.document import CHOOSING, KINDS, FormActions, FormDocument, FormField
from content.forms.fields import bindable
from content.forms.words import kept_words, words_in
from content.languages import language_choices
from content.models import Form, Image
from content.queries import email_choices
from content.uploads import LARGEST_MB, WORDS
from core.localtime import moment
from crm.criteria.choices import list_items
from crm.models import ConsentPurpose, RequestCategory, RequestPriority, RequestType, SubscriptionType
from crm.values import read_url

_LOCAL = "%Y-%m-%dT%H:%M"
MOST_OPTIONS = 100
MOST_IMAGES = 200
_REQUEST: dict[str, Any] = {
    "request_type": RequestType,
    "request_category": RequestCategory,
    "request_priority": RequestPriority,
}


class NewFormForm(forms.Form):
    """Begin a form."""

    name = forms.CharField(
        max_length=120, label="Name", help_text="For your team; people outside see the heading."
    )


class NewFieldForm(forms.Form):
    """Add a field."""

    kind = forms.ChoiceField(label="Kind", choices=list(KINDS.items()), initial="crm")
    target = forms.ChoiceField(label="Field of the contact or company", required=False)
    label = forms.CharField(label="Label", required=False, max_length=200)

    def __init__(self, data: QueryDict | None = None, *, is_named: bool = True) -> None:
        if data is not None and "bound" in data:
            # A button of the palette: one of the contact's fields.
            data = data.copy()
            data["kind"], data["target"] = "crm", str(data["bound"])
        super().__init__(data)
        self.is_named = is_named
        self.fields["target"].choices = [("", "Choose…"), *bindable()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """What a kind needs must be there."""
        cleaned = super().clean() or {}
        if cleaned.get("kind") == "crm" and not cleaned.get("target"):
            self.add_error("target", "Choose the field that it is bound to.")
        if (
            self.is_named
            and cleaned.get("kind") not in {"crm", "hidden", "paragraph", "page", "image", None}
            and not cleaned.get("label", "").strip()
        ):
            self.add_error("label", "Give it a label.")
        return cleaned


class FieldSettingsForm(forms.Form):
    """Settings of one field; only those that its kind has."""

    label = forms.CharField(label="Label", required=False, max_length=200)
    help = forms.CharField(
        label="Help text", required=False, max_length=2_000, widget=forms.Textarea({"rows": 2})
    )
    required = forms.BooleanField(label="Required", required=False)
    overwrite = forms.BooleanField(
        label="An answer may overwrite what the contact has",
        required=False,
        help_text="Anybody who knows an address can send the form with it. Off: answers fill only what is empty.",
    )
    options = forms.CharField(
        label="Choices", required=False, help_text="One a line.", widget=forms.Textarea({"rows": 5})
    )
    value = forms.CharField(
        label="Value",
        required=False,
        max_length=250,
        help_text="Unless the page's address brings another: …?key=value.",
    )
    purpose = forms.TypedChoiceField(label="Consent to", required=False, coerce=int, empty_value=None)
    subscription = forms.TypedChoiceField(
        label="Subscription type", required=False, coerce=int, empty_value=None
    )

    most_mb = forms.IntegerField(
        label="Largest file, in MB", min_value=1, max_value=LARGEST_MB, help_text=f"Taken are {WORDS}."
    )
    image = forms.TypedChoiceField(
        label="Image",
        required=False,
        coerce=int,
        empty_value=None,
        help_text="The newest ones. Upload more under Content, Images.",
    )

    def __init__(self, *, field: FormField, data: QueryDict | None = None) -> None:
        initial = {**field.model_dump(), "options": "\n".join(field.options)}
        super().__init__(data, initial=initial)
        for name in set(self.fields) - _settings_of(field):
            del self.fields[name]
        if field.kind == "paragraph":
            self.fields["help"].label = "Text"
        if field.kind == "page":
            self.fields["label"].label = "Title of the page"
        if "image" in self.fields:
            self.fields["label"].label = "Text for those who do not see it"
            self.order_fields(["image", "label"])
            self._choose("image", Image.objects.order_by("-created_at", "-pk")[:MOST_IMAGES], field.image)
        if "purpose" in self.fields:
            self._choose("purpose", ConsentPurpose.objects.order_by("name"), field.purpose)
        if "subscription" in self.fields:
            types = SubscriptionType.objects.filter(retired=False)
            self._choose("subscription", types, field.subscription)

    def _choose(self, name: str, rows: Any, chosen: int | None) -> None:
        offered = [(str(pk), text) for pk, text in rows.values_list("pk", "name")]
        if chosen is not None and str(chosen) not in dict(offered):
            offered.append((str(chosen), "Not offered any more"))
        self.fields[name].choices = [("", "Choose…"), *offered]  # type: ignore[attr-defined]

    def clean_options(self) -> list[str]:
        """Return the choices, each once."""
        lines = [" ".join(line.split())[:200] for line in self.cleaned_data["options"].splitlines()]
        found = list(dict.fromkeys(line for line in lines if line))
        if len(found) > MOST_OPTIONS:
            raise forms.ValidationError(f"At most {MOST_OPTIONS} choices.")
        return found


def _settings_of(field: FormField) -> set[str]:
    common = {"label", "help", "required"}
    if field.kind == "paragraph":
        return {"help"}
    if field.kind == "section":
        return {"label", "help"}
    if field.kind in {"page", "image"}:
        return {"label", *({"image"} if field.kind == "image" else set())}
    if field.kind == "hidden":
        return {"label", "value"}
    extra = {
        "crm": {"overwrite"},
        "consent": {"purpose"},
        "subscription": {"subscription"},
        "file": {"most_mb"},
    }
    return common | extra.get(field.kind, set()) | ({"options"} if field.kind in CHOOSING else set())


def redirect_problem(url: str) -> str:
    """Return why a form cannot lead to an address after it was sent; nothing where it can, or leads nowhere."""
    if url and (not url.lower().startswith(("https://", "http://")) or read_url(url) is None):
        return "Write a whole address that begins with https://."
    return ""


class SettingsForm(forms.Form):
    """What people see around the fields, when the form closes, who processes, and the double opt-in."""

    name = forms.CharField(label="Name", max_length=120)
    managed_by = forms.TypedChoiceField(
        label="Managed by",
        required=False,
        coerce=int,
        empty_value=None,
        help_text="Members of this group process what comes in, and are told of it. Administrators always may.",
    )
    processing = forms.ChoiceField(
        label="Processing",
        widget=forms.RadioSelect,
        choices=[
            ("automatic", "Automatic"),
            ("manual_if_unknown", "Manual if the address is unknown, automatic if it is known"),
            ("manual", "Manual for all"),
        ],
    )
    language = forms.ChoiceField(
        label="Language",
        required=False,
        help_text="Of what you write here. Errors, and the texts below as long as they are ours, follow it.",
    )
    heading = forms.CharField(label="Heading", required=False, max_length=200)
    introduction = forms.CharField(
        label="Introduction", required=False, max_length=4_000, widget=forms.Textarea({"rows": 3})
    )
    button = forms.CharField(label="Button", max_length=60)
    prefill = forms.BooleanField(
        label="Fill in what we know when it is opened from a message",
        required=False,
        help_text="Only by the link in that message. Whoever it is forwarded to sees it, too.",
    )
    thanks_heading = forms.CharField(label="Thank-you heading", required=False, max_length=200)
    thanks_text = forms.CharField(
        label="Thank-you text", required=False, max_length=4_000, widget=forms.Textarea({"rows": 3})
    )
    redirect_url = forms.CharField(
        label="Or lead on to",
        required=False,
        max_length=500,
        help_text="An address that begins with https://.",
    )
    inactive_text = forms.CharField(
        label="Text of the closed form", required=False, max_length=4_000, widget=forms.Textarea({"rows": 2})
    )
    closes_at = forms.DateTimeField(
        label="Closes at",
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format=_LOCAL),
    )
    closes_after = forms.IntegerField(
        label="Closes after this many answers", required=False, min_value=1, max_value=10_000_000
    )
    double_opt_in = forms.BooleanField(
        label="Ask to confirm by email (double opt-in)",
        required=False,
        help_text="Nothing comes of a submission until whoever reads that mailbox has confirmed it.",
    )
    confirm_minutes = forms.IntegerField(label="Minutes to confirm", min_value=5, max_value=10_080)
    confirm_subject = forms.CharField(label="Subject", max_length=200)
    confirm_text = forms.CharField(label="Text", max_length=4_000, widget=forms.Textarea({"rows": 3}))
    confirm_button = forms.CharField(label="Button of the mail", max_length=60)

    def __init__(
        self,
        *,
        form: Form,
        document: FormDocument,
        zone: ZoneInfo,
        tenant_language: str,
        data: QueryDict | None = None,
    ) -> None:
        self.zone, self.old, self.tenant_language = zone, document, tenant_language
        shown = form.closes_at.astimezone(zone).replace(tzinfo=None) if form.closes_at else None
        own = {"name": form.name, "managed_by": form.managed_by_id, "closes_at": shown}
        words = asdict(words_in(document, tenant_language=tenant_language))
        own = {**document.model_dump(), **words, **own, "closes_after": form.closes_after}
        super().__init__(data, initial=own)
        groups = [(str(pk), name) for pk, name in Group.objects.values_list("pk", "name")]
        self.fields["language"].choices = [("", "Not said"), *language_choices()]  # type: ignore[attr-defined]
        self.fields["managed_by"].choices = [("", "Administrators only"), *groups]  # type: ignore[attr-defined]

    def clean_redirect_url(self) -> str:
        """An address of the tenant's, whole."""
        text: str = self.cleaned_data["redirect_url"].strip()
        if problem := redirect_problem(text):
            raise forms.ValidationError(problem)
        return text

    def clean_closes_at(self) -> dt.datetime | None:
        """Return the moment that the clocks of the tenant show so."""
        local: dt.datetime | None = self.cleaned_data["closes_at"]
        return moment(local.date(), local.time(), self.zone) if local else None

    def group(self) -> Group | None:
        """Return the managing group."""
        chosen = self.cleaned_data["managed_by"]
        return Group.objects.get(pk=chosen) if chosen is not None else None

    def document(self) -> FormDocument:
        """Return the document with what this form holds."""
        changes = {key: value for key, value in self.cleaned_data.items() if key in FormDocument.model_fields}
        changes = kept_words(changes, self.old, tenant_language=self.tenant_language)
        return FormDocument.model_validate({**self.old.model_dump(), **changes})


class FormActionsForm(ActionsForm):
    """What happens when a submission is processed."""

    respond_email = forms.TypedChoiceField(
        label="Answer by email",
        required=False,
        coerce=int,
        empty_value=None,
        help_text="Goes to everyone whose submission is processed: an answer, so no consent is asked.",
    )
    new_category = forms.TypedChoiceField(label="Category", required=False, coerce=int, empty_value=None)
    new_business = forms.TypedChoiceField(label="Business", required=False, coerce=int, empty_value=None)

    request = forms.BooleanField(
        label="Register a request for each submission",
        required=False,
        help_text="With the answers as its message. Its owner is the one of the category.",
    )
    request_title = forms.CharField(
        label="Title of the request", required=False, max_length=160, help_text="The form's name where empty."
    )
    request_type = forms.TypedChoiceField(label="Request type", required=False, coerce=int, empty_value=None)
    request_category = forms.TypedChoiceField(
        label="Request category", required=False, coerce=int, empty_value=None
    )
    request_priority = forms.TypedChoiceField(
        label="Request priority", required=False, coerce=int, empty_value=None
    )

    OWN = ("respond_email", "new_category", "new_business", "request", "request_title", *_REQUEST)

    def __init__(
        self, data: QueryDict | None = None, *, actions: FormActions, has_service: bool = False
    ) -> None:
        self.kept = actions
        super().__init__(data, actions=actions, initial={name: getattr(actions, name) for name in self.OWN})
        if not has_service:
            for name in ("request", "request_title", *_REQUEST):
                del self.fields[name]
        offered = {
            "respond_email": [(str(email.id), email.name) for email in email_choices() if email.is_sendable],
            "new_category": _items("category"),
            "new_business": _items("business"),
            **({name: _named(model) for name, model in _REQUEST.items()} if has_service else {}),
        }
        for name, pairs in offered.items():
            chosen = getattr(actions, name)
            gone = (
                [(str(chosen), "Not offered any more")] if chosen and str(chosen) not in dict(pairs) else []
            )
            first = "The first in the list" if name in _REQUEST else "None"
            self.fields[name].choices = [("", first), *pairs, *gone]  # type: ignore[attr-defined]

    def form_actions(self) -> FormActions:
        """Return what the valid form says; what a missing licence hides stays as it was."""
        common: ContactActions = self.actions()
        own = {name: self.cleaned_data.get(name, getattr(self.kept, name)) for name in self.OWN}
        return FormActions.model_validate({**common.model_dump(), **own})


def _items(name: str) -> list[tuple[str, str]]:
    return [(item.value, item.name) for item in list_items(name) if not item.retired]


def _named(model: Any) -> list[tuple[str, str]]:
    rows = model.objects.filter(retired=False).order_by("rank", "name").values_list("pk", "name")
    return [(str(pk), name) for pk, name in rows]
