"""Forms of dynamic and combined selections; the criteria are posted beside them by their own editor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from crm.criteria.schema import Criteria
from crm.models import Selection
from crm.operations.selections import Rule


class RuleForm(forms.Form):
    """Name and description."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(max_length=250, required=False, widget=forms.Textarea({"rows": 2}))

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        selection: Selection | None,
        readable: QuerySet[Selection],
    ) -> None:
        initial = {
            name: getattr(selection, name)
            for name in ("name", "description", "left_id", "right_id", "combine")
            if selection is not None
        }
        super().__init__(data, initial={**initial, **self.sides(initial)})
        self.prepare(selection, readable)

    @staticmethod
    def sides(initial: Mapping[str, Any]) -> dict[str, Any]:
        """Return the two selections under the names of their fields."""
        return {"left": initial.get("left_id"), "right": initial.get("right_id")}

    def prepare(self, selection: Selection | None, readable: QuerySet[Selection]) -> None:
        """Fill in choices that come from the tenant."""

    def rule(self, criteria: Criteria | None) -> Rule:
        """Return the rule, once the form is valid."""
        return Rule(criteria=criteria)


class DynamicForm(RuleForm):
    """Everyone who matches the criteria."""


class CombinedForm(RuleForm):
    """Two selections, and how they are combined."""

    left = forms.TypedChoiceField(label="Selection A", coerce=int)
    combine = forms.ChoiceField(
        label="Who is in it", choices=Selection.Combine.choices, widget=forms.RadioSelect
    )
    right = forms.TypedChoiceField(label="Selection B", coerce=int)

    def prepare(self, selection: Selection | None, readable: QuerySet[Selection]) -> None:
        """Offer the selections that the member may read, but not the one itself."""
        others = readable.exclude(pk=selection.pk if selection else 0).order_by("name")
        choices = [("", "Choose…"), *((str(one.pk), one.name) for one in others[:1_000])]
        for side, kept in (("left", selection and selection.left), ("right", selection and selection.right)):
            known = dict(choices)
            gone = [(str(kept.pk), kept.name)] if kept and str(kept.pk) not in known else []
            self.fields[side].choices = [*choices, *gone]  # type: ignore[attr-defined]

    def rule(self, criteria: Criteria | None) -> Rule:
        """Return A, B and how."""
        given = self.cleaned_data
        return Rule(left_id=given["left"], right_id=given["right"], combine=given["combine"])
