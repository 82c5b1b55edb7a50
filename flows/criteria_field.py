"""Criteria inside a panel's form: crm's editor posts them, this reads them back as typed criteria."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from crm.criteria.schema import Criteria


class CriteriaForm(forms.Form):
    """Base of forms that hold criteria beside their own fields."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        criteria: Criteria | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.kept = criteria

    def criteria(self) -> Criteria | None:
        """Return the criteria, or None where they are empty."""
        return self.kept
