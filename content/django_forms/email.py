"""Forms of the email editor. What is right in an email is judged by the compiler, not here."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from content.models import Email, EmailVariant
from content.operations.emails import Draft
from content.starters import STARTERS

MAX_TEST_ADDRESSES = 5


class NewEmailForm(forms.Form):
    """Begin an email with a starter."""

    name = forms.CharField(max_length=120, label="Name", help_text="For your team; recipients do not see it.")
    starter = forms.ChoiceField(
        label="Begin with",
        choices=lambda: [(starter.name, starter.label) for starter in STARTERS],
        widget=forms.RadioSelect,
        initial="welcome",
    )
    flow = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)


class EmailForm(forms.Form):
    """What the editor holds."""

    name = forms.CharField(max_length=120, label="Name")
    subject = forms.CharField(
        max_length=400, label="Subject", required=False, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    preheader = forms.CharField(
        max_length=400,
        label="Preheader",
        required=False,
        help_text="What an inbox shows after the subject.",
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    mjml = forms.CharField(
        label="Content",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 26, "spellcheck": "false"}),
    )
    text_is_own = forms.BooleanField(
        label="Write the plain text myself",
        required=False,
        help_text="Otherwise it is made from the content.",
    )
    text = forms.CharField(
        label="Plain text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "dir": "auto"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def of(cls, email: Email, piece: Email | EmailVariant) -> EmailForm:
        """Return the form of an email, or of one of its variants, as it was saved."""
        return cls(initial=cls.values_of(email, piece))

    @classmethod
    def values_of(cls, email: Email, piece: Email | EmailVariant) -> dict[str, Any]:
        """Return what was saved: name and revision are the email's in every language."""
        written = {name: getattr(piece, name) for name in cls.base_fields if name not in {"name", "revision"}}
        return {**written, "name": email.name, "revision": email.revision}

    def draft(self) -> Draft:
        """Return what the writer handed in."""
        data = self.cleaned_data
        own = data["text"].replace("\r\n", "\n") if data["text_is_own"] else None
        return Draft(
            name=data["name"],
            subject=data["subject"],
            mjml=data["mjml"].replace("\r\n", "\n"),
            preheader=data["preheader"],
            own_text=own,
        )


class TestSendForm(forms.Form):
    """Who gets a test."""

    addresses = forms.CharField(
        label="Send to",
        help_text=f"Up to {MAX_TEST_ADDRESSES} addresses, with commas between them.",
        max_length=1600,
    )
    contact = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_addresses(self) -> list[str]:
        """Return the addresses, each once."""
        found = [part for part in re.split(r"[,;\s]+", self.cleaned_data["addresses"]) if part]
        if len(found) > MAX_TEST_ADDRESSES:
            raise ValidationError(f"At most {MAX_TEST_ADDRESSES} addresses.")
        for address in found:
            try:
                validate_email(address)
            except ValidationError as error:
                raise ValidationError(f"“{address[:80]}” is not an email address.") from error
        return list(dict.fromkeys(found))
