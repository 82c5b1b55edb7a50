"""The settings panel of Update contact: lines of field, action and values (crm.forms.change_lines)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from crm.bulk import Change
from crm.forms.change_lines import ChangeLines, LineView
from flows.making import Offer, list_kind, offers_beside
from flows.steps.forms import StepForm


class UpdateContactForm(StepForm):
    """See the module."""

    template = "flows/steps/update_contact.html"

    def prepare(self) -> None:
        """Read the lines that were posted, or those of the step."""
        kept = [Change(line.field, line.action, line.values) for line in self.initial.get("lines", ())]
        posted = self.data if isinstance(self.data, QueryDict) and self.is_bound else None
        self.lines = ChangeLines(data=posted, kept=kept)

    def clean(self) -> dict[str, Any]:
        """Refuse values that are none; a line without a value may wait."""
        cleaned = super().clean() or {}
        if not self.lines.check():
            raise forms.ValidationError("Some of the changes cannot be made.")
        return cleaned

    def settings(self) -> dict[str, Any]:
        """Return the lines that name a field."""
        kept = self.lines.changes
        return {"lines": [{"field": c.field, "action": c.action, "values": list(c.values)} for c in kept]}

    @property
    def line_views(self) -> list[tuple[LineView, list[Offer]]]:
        """Every line, and an empty one where there is none, with what may be made beside its values."""
        return [(line, self._makes(line.field)) for line in self.lines.views]

    def _makes(self, field: str) -> list[Offer]:
        target = self.lines.by_key.get(field)
        if target is None or target.type not in {"item", "items"}:
            return []
        return offers_beside(list_kind(target.choices, target.custom_id))

    @property
    def field_groups(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The fields that may be written, by group."""
        return self.lines.groups
