"""What comes in from the pages of participants: the filter of the list, and what to do with the chosen ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import Membership
from crm.models import Selection
from flows.models import Flow
from flows.visibility import visible_flows
from participants.asked import number

ACTIONS = (
    ("take_out", "Take out"),
    ("move_on", "Move on now"),
    ("retry", "Try again now"),
    ("add_to_selection", "Add to selection"),
    ("suggest", "Suggest for another flow"),
    ("remove", "Remove from flow"),
)
# What each of these needs chosen beside the participants.
TARGETS = {"add_to_selection": "selection", "suggest": "flow"}


@dataclass(frozen=True, slots=True)
class Targets:
    """Where chosen participants may be led: selections, and other flows that take people, as choices."""

    selections: Sequence[tuple[int, str]]
    flows: Sequence[tuple[int, str]]

    @classmethod
    def of(cls, flow: Flow, member: Membership) -> Targets:
        """Return what this member may choose; two queries."""
        others = visible_flows(member).exclude(status=Flow.Status.NOT_RUNNING).exclude(pk=flow.pk)
        return cls(
            list(
                Selection.objects.filter(kind=Selection.Kind.STATIC)
                .order_by("name")
                .values_list("pk", "name")
            ),
            list(others.order_by("name").values_list("pk", "name")),
        )


class ActForm(forms.Form):
    """What to do with which participants."""

    action = forms.ChoiceField(choices=ACTIONS)
    ids = forms.TypedMultipleChoiceField(coerce=int)
    selection = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    flow = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    # All that the list's address finds, instead of the chosen ones.
    every = forms.BooleanField(required=False)
    token = forms.CharField(required=False, max_length=64)

    def __init__(self, data: QueryDict, targets: Targets, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        for name, choices in (("selection", targets.selections), ("flow", targets.flows)):
            self.fields[name].choices = [("", ""), *choices]  # type: ignore[attr-defined]
        self.fields["ids"].required = not data.get("every")
        # Any number is a possible id: whose it is, the operation finds out.
        ids = [one for one in data.getlist("ids") if number(one) is not None][:1000]
        self.fields["ids"].choices = [(one, one) for one in ids]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """An action that leads somewhere needs to know where."""
        given: dict[str, Any] = super().clean() or {}
        needed = TARGETS.get(given.get("action", ""))
        if needed and given.get(needed) is None:
            self.add_error(needed, f"Choose a {needed} first.")
        return given

    @property
    def target(self) -> dict[str, int]:
        """Where the action leads, as its operation takes it."""
        needed = TARGETS.get(self.cleaned_data["action"])
        return {"target": self.cleaned_data[needed]} if needed else {}
