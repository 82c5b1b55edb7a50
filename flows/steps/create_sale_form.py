"""The settings panel of Create sale."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from crm.currencies import CURRENCIES
from crm.forms.sales import stage_choices
from flows.document import StepNode
from flows.steps.forms import EMPTY, choose, make_beside, offer, to_number
from flows.steps.people import fallback_field, prepare_users, user_field, who_field
from flows.steps.texts import TaggedForm

TAGS = "May hold merge tags, such as {{ company.name }}."


class CreateSaleForm(TaggedForm):
    """Type and stage are chosen together, as on the page of a sale."""

    sale_title = forms.CharField(label="Title of the sale", required=False, max_length=200, help_text=TAGS)
    type_and_stage = forms.ChoiceField(required=False)
    amount = forms.DecimalField(required=False, max_digits=17, decimal_places=2, min_value=Decimal(0))
    currency = forms.ChoiceField(required=False)
    description = forms.CharField(
        required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 3}), help_text=TAGS
    )
    project = forms.TypedChoiceField(required=False, coerce=to_number, empty_value=None)
    date_by = forms.ChoiceField(
        label="Sale date",
        widget=forms.RadioSelect,
        choices=[("type", "As many days ahead as the sale type says"), ("after", "After a time")],
    )
    after = forms.IntegerField(label="How many", required=False, min_value=0, max_value=3_650)
    unit = forms.ChoiceField(label="Unit", choices=[("days", "days"), ("weeks", "weeks")])
    who = who_field("Owner")
    user = user_field()
    fallback_user = fallback_field()

    template = "flows/steps/create_sale.html"
    tagged = ("sale_title", "description")

    def initial_of(self, node: StepNode) -> dict[str, Any]:
        """Show type and stage as one choice."""
        initial = super().initial_of(node)
        kind, stage = initial.get("sale_type"), initial.get("stage")
        return {**initial, "type_and_stage": f"{kind}:{stage or ''}" if kind else ""}

    def prepare(self) -> None:
        """Offer the tenant's types with their stages, projects and users."""
        chosen = self.initial["type_and_stage"]
        kinds = _kinds(self.initial.get("sale_type"), self.initial.get("stage"), chosen)
        choose(self, "type_and_stage", kinds)
        make_beside(self, "type_and_stage", "type_and_stage")
        currencies = [(code, f"{code} {name}") for code, name in CURRENCIES.items()]
        choose(self, "currency", [("", EMPTY), *currencies])
        offer(self, "project", "project", empty="No project")
        prepare_users(self, user="Choose…", fallback_user="The flow's owner")

    def settings(self) -> dict[str, Any]:
        """Take type and stage apart again."""
        kind, _, stage = self.cleaned_data["type_and_stage"].partition(":")
        self.cleaned_data |= {"sale_type": to_number(kind), "stage": to_number(stage)}
        return super().settings()


def _kinds(type_id: int | None, stage_id: int | None, chosen: str) -> list[Any]:
    """Return types with "the first stage" and their stages."""
    groups: list[Any] = [("", EMPTY)]
    for kind_id, name, stages in stage_choices(type_id, stage_id):
        options = [(value, label) for value, label in stages if not value.endswith(":")]
        groups.append((name, [(f"{kind_id}:", f"{name}: its first stage"), *options]))
    known = {value for _, options in groups if isinstance(options, list) for value, _ in options}
    if chosen and chosen not in known:
        groups.append((chosen, "A type or stage that was deleted"))
    return groups
