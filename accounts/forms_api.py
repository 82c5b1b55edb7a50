"""The form of a new API key."""

from __future__ import annotations

from django import forms

from accounts.models import ApiKey


class ApiKeyForm(forms.Form):
    """A name, and what the key may do."""

    name = forms.CharField(label="Name", max_length=80, help_text="Which program uses it, and where.")
    scopes = forms.MultipleChoiceField(
        label="May", choices=ApiKey.Scope.choices, widget=forms.CheckboxSelectMultiple
    )
