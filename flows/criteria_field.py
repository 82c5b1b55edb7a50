"""Criteria inside a panel's form: crm's editor posts them, this reads them back as typed criteria."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from crm.criteria.editor import read_criteria
from crm.criteria.schema import Criteria
from crm.criteria.unseen import unseen_problem


class CriteriaForm(forms.Form):
    """Base of forms that hold criteria beside their own fields. Unfinished criteria are kept as they are."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        criteria: Criteria | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.kept = criteria

    def clean(self) -> dict[str, Any]:
        """Refuse what is out of sight, where nobody else had chosen it before."""
        given = super().clean() or {}
        if problem := unseen_problem(self.criteria(), self.kept):
            self.add_error(None, problem)
        return given

    def criteria(self) -> Criteria | None:
        """Return the criteria that were posted, or None where there are none."""
        if not isinstance(self.data, QueryDict):
            return self.kept
        found = read_criteria(self.data)
        return None if found.is_empty else found

    @property
    def shown_criteria(self) -> Criteria | None:
        """What the editor shows: what was typed, else what is kept."""
        return self.criteria() if self.is_bound else self.kept
