"""The settings panel of *Wait for action*."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from crm.criteria.editor import read_criteria
from crm.criteria.schema import Criteria
from crm.criteria.unseen import unseen_problem
from flows.document import StepNode
from flows.steps.action_choices import action_of, code_of, names_of_events
from flows.steps.actions import Action
from flows.steps.forms import StepForm, offer, offer_many, to_number
from flows.steps.wait_for_time import MOST, UNITS


class WaitForActionForm(StepForm):
    """Actions as boxes to tick, criteria in crm's editor, the maximum wait and its exit."""

    acts = forms.MultipleChoiceField(
        label="Until the contact does any of these", required=False, widget=forms.CheckboxSelectMultiple
    )
    events = forms.CharField(
        label="Or one of these events comes from outside",
        required=False,
        max_length=400,
        help_text="Names as they are posted to the API, with commas between them.",
    )
    since = forms.ChoiceField(
        label="What counts",
        choices=[
            ("arrival", "What happens while waiting here"),
            ("entering", "Also what happened since entering the flow"),
        ],
        widget=forms.RadioSelect,
    )
    limited = forms.BooleanField(label="Wait at most", required=False)
    amount = forms.IntegerField(label="How many", required=False, min_value=0, max_value=MOST)
    unit = forms.ChoiceField(label="Unit", choices=[(unit, names[1]) for unit, names in UNITS.items()])
    exits = forms.BooleanField(label="Exit flow when the time is up", required=False)
    exit_selection = forms.TypedChoiceField(
        label="Then add to selection", required=False, coerce=to_number, empty_value=None
    )
    exit_flow = forms.TypedChoiceField(
        label="Then suggest for flow", required=False, coerce=to_number, empty_value=None
    )
    template = "flows/steps/wait_for_action.html"

    def initial_of(self, node: StepNode) -> dict[str, Any]:
        """Show the actions as ticked boxes and the events by name."""
        initial = super().initial_of(node)
        actions: tuple[Action, ...] = initial.pop("actions", ())
        self.kept_criteria: Criteria | None = initial.pop("criteria", None)
        acts = [code_of(action) for action in actions if action.kind != "outside"]
        events = ", ".join(action.name for action in actions if action.kind == "outside")
        return {**initial, "acts": acts, "events": events}

    def prepare(self) -> None:
        """Offer links, forms and emails, onward flows and selections."""
        offer_many(self, "acts", "action", flow_id=self.flow_id)
        offer(self, "exit_selection", "selection", empty="None")
        offer(self, "exit_flow", "flow", flow_id=self.flow_id, empty="None")

    def clean(self) -> dict[str, Any]:
        """Refuse criteria on what is out of sight, where nobody else had chosen it before."""
        given = super().clean() or {}
        if problem := unseen_problem(self.shown_criteria, self.kept_criteria):
            self.add_error(None, problem)
        return given

    @property
    def shown_criteria(self) -> Criteria | None:
        """What the editor shows: what was typed, else what is kept."""
        if not self.is_bound or not isinstance(self.data, QueryDict):
            return self.kept_criteria
        found = read_criteria(self.data)
        return None if found.is_empty else found

    def settings(self) -> dict[str, Any]:
        """Put actions, events and criteria together."""
        given = self.cleaned_data
        acts = [action_of(code) for code in given["acts"]]
        acts += [Action(kind="outside", name=name) for name in names_of_events(given["events"])]
        typed = self.kind.Settings.model_validate(
            {
                "actions": [action.model_dump() for action in acts],
                "criteria": self.shown_criteria,
                **{
                    name: given[name]
                    for name in ("since", "limited", "amount", "unit", "exits", "exit_flow", "exit_selection")
                },
            }
        )
        return typed.model_dump(mode="json")
