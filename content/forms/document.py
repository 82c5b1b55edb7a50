"""What a form is made of: one typed document, the same for editor, public page, validation and processing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from content.actions import ContactActions
from content.direction import direction_of
from content.uploads import LARGEST_MB, MOST_FILES
from crm.bulk import Target

FieldKind = Literal[
    "crm", "text", "textarea", "number", "date", "radio", "checkboxes", "dropdown", "rating", "hidden",
    "file", "consent", "subscription", "section", "paragraph", "page", "image",
]  # fmt: skip
KINDS: dict[FieldKind, str] = {
    "crm": "Field of the contact or company",
    "text": "Text",
    "textarea": "Text area",
    "number": "Number",
    "date": "Date",
    "radio": "Radio buttons",
    "checkboxes": "Checkboxes",
    "dropdown": "Drop-down",
    "rating": "Rating (1 to 5)",
    "file": "File",
    "hidden": "Hidden",
    "consent": "Consent",
    "subscription": "Subscription",
    "section": "Section heading",
    "paragraph": "Paragraph of text",
    "page": "New page",
    "image": "Image",
}
CHOOSING = frozenset({"radio", "checkboxes", "dropdown"})
TEXTS = frozenset({"section", "paragraph", "page", "image"})
EMAIL = "contact.email"
# Not a target of crm.bulk: a company is found or made by its exact name.
COMPANY_NAME = "company.name"
# What nobody outside may write, whatever a form says.
_INTERNAL = frozenset({"contact.former_employee", "contact.timezone"})
MOST_FIELDS = 60
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FormField(_Part):
    """One field or piece of text. Which settings count follows from the kind."""

    key: str
    kind: FieldKind
    label: str = ""
    help: str = ""
    required: bool = False
    # crm: which field, and whether an answer replaces what is there.
    target: str = ""
    overwrite: bool = False
    options: tuple[str, ...] = ()
    # hidden: the answer, unless the page's address brings another.
    value: str = ""
    purpose: int | None = None
    subscription: int | None = None
    # file: the largest one that is taken, in MB.
    most_mb: int = Field(default=5, ge=1, le=LARGEST_MB)
    # image: one of the tenant's pictures; its label is the text for those who do not see it.
    image: int | None = None

    @property
    def asks(self) -> bool:
        """Whether it has an answer."""
        return self.kind not in TEXTS


class FormActions(ContactActions):
    """What happens when a submission is processed, beside the answers themselves."""

    respond_email: int | None = None
    new_category: int | None = None
    new_business: int | None = None
    # A request for each submission, with the answers as its message; needs the Service licence.
    request: bool = False
    request_title: str = ""
    request_type: int | None = None
    request_category: int | None = None
    request_priority: int | None = None

    def references(self) -> Iterator[tuple[str, int]]:
        """Yield what the actions use."""
        yield from super().references()
        if self.respond_email is not None:
            yield "email", self.respond_email
        yield from (("list_item", pk) for pk in (self.new_category, self.new_business) if pk is not None)
        if self.request:
            chosen = ("request_type", "request_category", "request_priority")
            yield from ((kind, pk) for kind in chosen if (pk := getattr(self, kind)) is not None)


Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]


class FormStyle(_Part):
    """How the public page looks: "house" as Millrace, "brand" as the tenant's emails, "own" as set here."""

    look: Literal["house", "brand", "own"] = "brand"
    accent: Colour = "#0a5e49"
    background: Colour = "#f4f2ed"
    surface: Colour = "#ffffff"
    ink: Colour = "#232320"
    font: str = Field(default="helvetica", max_length=20)
    radius: int = Field(default=6, ge=0, le=24)

    @property
    def mark(self) -> str:
        """What is different as soon as anything here is: part of the sheet's address, which browsers keep."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


class FormDocument(_Part):
    """A whole form."""

    fields: tuple[FormField, ...] = ()
    # What the tenant's words on the page are in, "" where nobody said.
    language: str = ""
    heading: str = ""
    introduction: str = ""
    button: str = "Send"
    thanks_heading: str = "Thank you"
    thanks_text: str = "We have got your answers."
    redirect_url: str = ""
    inactive_text: str = "This form is closed."
    prefill: bool = True
    processing: Literal["automatic", "manual_if_unknown", "manual"] = "automatic"
    double_opt_in: bool = False
    confirm_minutes: int = Field(default=30, ge=5, le=10_080)
    confirm_subject: str = "Please confirm"
    confirm_text: str = "Press the button to confirm what you have sent us. If it was not you, do nothing."
    confirm_button: str = "Confirm"
    actions: FormActions = FormActions()
    style: FormStyle = FormStyle()

    @property
    def direction(self) -> str:
        """ "rtl" or "ltr", by the language; "" where nobody said."""
        return direction_of(self.language)

    @property
    def questions(self) -> tuple[FormField, ...]:
        """The fields that have an answer."""
        return tuple(field for field in self.fields if field.asks)

    def field(self, key: str) -> FormField | None:
        """Return the field with this key, or None."""
        return next((field for field in self.fields if field.key == key), None)

    @property
    def email_field(self) -> FormField | None:
        """The field that says whose answers they are."""
        return next((field for field in self.fields if field.kind == "crm" and field.target == EMAIL), None)

    def references(self) -> Iterator[tuple[str, int]]:
        """Yield what the form uses, custom fields left out: those are named by key (see content.operations.forms)."""
        yield from self.actions.references()
        for field in self.fields:
            if field.kind == "subscription" and field.subscription is not None:
                yield "subscription_type", field.subscription
            if field.kind == "image" and field.image is not None:
                yield "image", field.image


def may_be_asked(target: Target) -> bool:
    """Say whether a form may hold this field: users and internal marks are not for people outside."""
    return target.type != "user" and target.key not in _INTERNAL


def structure_problems(document: FormDocument) -> list[str]:
    """Return what keeps the form from being opened, as far as the document alone can tell."""
    found = []
    email = document.email_field
    if email is None or not email.required:
        found.append("Add the field “Email address” and make it required: it says whose answers they are.")
    for target, count in Counter(f.target for f in document.fields if f.kind == "crm").items():
        if count > 1 and target:
            found.append("A field of the contact stands twice in the form.")
    if len(document.fields) > MOST_FIELDS:
        found.append(f"A form has at most {MOST_FIELDS} fields.")
    if sum(field.kind == "file" for field in document.fields) > MOST_FILES:
        found.append(f"A form takes at most {MOST_FILES} files.")
    for field in document.fields:
        found += _field_problems(field)
    return list(dict.fromkeys(found))


def _field_problems(field: FormField) -> Iterator[str]:
    name = f"“{field.label or KINDS[field.kind]}”"
    if field.kind not in {"hidden", *TEXTS - {"section"}} and not field.label.strip():
        yield f"{name}: give it a label, which people and screen readers need."
    if field.kind in CHOOSING and not field.options:
        yield f"{name}: there is nothing to choose from."
    if field.kind == "consent" and field.purpose is None:
        yield f"{name}: choose what it is a consent to."
    if field.kind == "subscription" and field.subscription is None:
        yield f"{name}: choose the subscription type."
    if field.kind == "image" and field.image is None:
        yield f"{name}: choose the image."
    if field.kind == "crm" and not field.target:
        yield f"{name}: choose the field it is bound to."
