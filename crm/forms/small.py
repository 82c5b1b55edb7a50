"""Small forms: names, members, list values, consents."""

from __future__ import annotations

from typing import Any

from django import forms

from crm.models import CustomField


class ClubForm(forms.Form):
    """Name and description of a selection or project."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(max_length=250, required=False, widget=forms.Textarea({"rows": 2}))


class NameForm(forms.Form):
    """A name."""

    name = forms.CharField(max_length=120)


class EraseForm(forms.Form):
    """That somebody knows what erasing means."""

    sure = forms.BooleanField(
        label="I know that this cannot be undone",
        error_messages={"required": "Tick this to erase the person."},
    )


class FieldForm(forms.Form):
    """A new custom field."""

    name = forms.CharField(max_length=80)
    on = forms.ChoiceField(label="Belongs to", choices=CustomField.On.choices)
    type = forms.ChoiceField(choices=CustomField.Type.choices)


class SubscriptionTypeForm(forms.Form):
    """A subscription type."""

    name = forms.CharField(max_length=80)
    description = forms.CharField(
        max_length=250, required=False, help_text="Recipients read this where they choose what to get."
    )


LEGAL_BASES = ("Consent", "Contract", "Legitimate interest", "Legal obligation")


class ConsentForm(forms.Form):
    """A consent given or withdrawn by hand."""

    given = forms.ChoiceField(label="Record", choices=[("yes", "Consent given"), ("no", "Consent withdrawn")])
    legal_basis = forms.ChoiceField(choices=[(text, text) for text in LEGAL_BASES])
    source = forms.CharField(max_length=120, help_text="Where it was given: a phone call, a fair, a letter.")


class ImportAnswersForm(forms.Form):
    """What an import asks beside the mapping."""

    date_order = forms.ChoiceField(
        label="Dates like 03/04/2026 are",
        choices=[("dmy", "day first (3 April)"), ("mdy", "month first (March 4)")],
    )
    add_values = forms.BooleanField(
        label="Add values that are not in a list yet (category, business, interests)", required=False
    )
    selection = forms.ChoiceField(label="Add everyone to a selection", required=False)
    legal_basis = forms.ChoiceField(choices=[(text, text) for text in LEGAL_BASES], required=False)
    source = forms.CharField(max_length=120, required=False, help_text="Where the consent was given.")

    def __init__(
        self, *args: Any, selections: list[tuple[str, str]], may_add_values: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["selection"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [("", "No selection"), *selections]
        if not may_add_values:
            del self.fields["add_values"]
