"""The settings panel of Create request."""

from __future__ import annotations

from typing import Any

from django import forms

from crm.models import Request, RequestCategory, RequestPriority, RequestType
from flows.steps.forms import choose, make_beside, number_choices, to_number
from flows.steps.people import prepare_users, user_field
from flows.steps.texts import TaggedForm

TAGS = "May hold merge tags, such as {{ contact.name }}."
_MODELS: tuple[tuple[str, Any, str], ...] = (
    ("request_type", RequestType, "A type that was deleted"),
    ("category", RequestCategory, "A category that was deleted"),
    ("priority", RequestPriority, "A priority that was deleted"),
)


class CreateRequestForm(TaggedForm):
    """What the request is, and who gets it."""

    request_title = forms.CharField(
        label="Title of the request", required=False, max_length=200, help_text=TAGS
    )
    request_type = forms.TypedChoiceField(label="Type", required=False, coerce=to_number, empty_value=None)
    category = forms.TypedChoiceField(required=False, coerce=to_number, empty_value=None)
    priority = forms.TypedChoiceField(required=False, coerce=to_number, empty_value=None)
    status = forms.ChoiceField(choices=Request.Status.choices)
    owner_by = forms.ChoiceField(
        label="Owner",
        widget=forms.RadioSelect,
        choices=[("automatic", "By the category's rule"), ("named", "One user"), ("nobody", "Unassigned")],
    )
    user = user_field(help_text="Where this user is not active, the flow's owner gets it.")
    message = forms.CharField(
        required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}), help_text=TAGS
    )

    template = "flows/steps/create_request.html"
    tagged = ("request_title", "message")

    def prepare(self) -> None:
        """Offer the tenant's lists and users; a retired entry only where it is chosen already."""
        for name, model, gone in _MODELS:
            chosen = self.initial.get(name)
            pairs = [(row.pk, str(row)) for row in model.objects.all() if not row.retired or row.pk == chosen]
            choose(self, name, number_choices(pairs, chosen, gone))
            make_beside(self, name, name if name == "request_type" else f"request_{name}")
        prepare_users(self, user="Choose…")
