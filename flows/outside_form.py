"""The panel of events from outside: the name, typed or chosen from those that have come, and lines of conditions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from crm.models import OutsideName
from crm.operations.outside import MOST_NAME
from flows.outside import MOST_CONDITIONS, OPERATORS, WITHOUT_VALUE, Condition
from flows.part_form import PartForm

MOST_NAMES = 200


class OutsideForm(PartForm):
    """See the module. Posted as name, condition-<n>-path, condition-<n>-operator, condition-<n>-value."""

    template = "flows/panel/outside_event.html"

    name = forms.CharField(
        label="Event",
        required=False,
        max_length=MOST_NAME,
        help_text="Its name, as the other system posts it.",
        widget=forms.TextInput({"list": "outside-names", "autocomplete": "off"}),
    )

    def prepare(self) -> None:
        """Read the conditions that were posted, or those that are kept."""
        posted = self._posted(self.data) if isinstance(self.data, QueryDict) else None
        self.conditions = list(self.initial.get("conditions", ())) if posted is None else posted
        self.names = list(OutsideName.objects.values_list("name", flat=True)[:MOST_NAMES])
        self.operators = list(OPERATORS.items())
        self.without_value = WITHOUT_VALUE

    def settings(self) -> dict[str, Any]:
        """Return name and conditions."""
        conditions = [condition.model_dump() for condition in self.conditions]
        return {"name": self.cleaned_data["name"], "conditions": conditions}

    def _posted(self, data: QueryDict) -> list[Condition]:
        found = []
        for index in range(MOST_CONDITIONS):
            path = data.get(f"condition-{index}-path")
            if path is None or str(index) == data.get("drop", ""):
                continue
            operator = data.get(f"condition-{index}-operator", "is")
            value = "" if operator in WITHOUT_VALUE else data.get(f"condition-{index}-value", "")
            found.append(
                Condition(path=path.strip()[:200], operator=operator[:20], value=value.strip()[:500])
            )
        if "more" in data and len(found) < MOST_CONDITIONS:
            found.append(Condition())
        return found
