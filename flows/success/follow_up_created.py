"""Follow-up created: a task or meeting about the contact is made, by a flow, a rep or the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from flows.document import SuccessCriterion
from flows.event_filter import EventFilter
from flows.part_form import PartForm
from flows.steps.base import CheckContext, Problem, Reference, StepSettings
from flows.steps.create_follow_up_form import follow_up_type_choices
from flows.steps.forms import choose, to_number
from flows.success.base import SuccessKind


class FollowUpCreatedSettings(StepSettings):
    """Which type of follow-up; None is any."""

    type: int | None = None


class FollowUpPartForm(PartForm):
    """Which type."""

    type = forms.TypedChoiceField(
        label="Type", required=False, coerce=to_number, empty_value=None, help_text="Left empty: any type."
    )

    def prepare(self) -> None:
        """Offer the types in use."""
        chosen = self.initial.get("type")
        choose(self, "type", follow_up_type_choices(chosen, empty="Any"))


class FollowUpCreated(SuccessKind):
    """See the module."""

    name = "follow_up_created"
    label = "Follow-up created"
    description = "A task or meeting about the contact is made."
    icon = "calendar-plus"
    group = "Sales, requests and follow-ups"
    is_state = False
    Settings = FollowUpCreatedSettings
    Form = FollowUpPartForm

    def event_filter(self, criterion: SuccessCriterion) -> EventFilter:
        """Every follow-up, or those of the chosen type."""
        settings: FollowUpCreatedSettings = self.settings(criterion)
        if settings.type is None:
            return EventFilter("follow_up.created")
        return EventFilter("follow_up.created", accepts=_OfType(settings.type))

    def summary(self, criterion: SuccessCriterion, names: CheckContext) -> str:
        """Return which."""
        settings: FollowUpCreatedSettings = self.settings(criterion)
        if settings.type is None:
            return "Any follow-up"
        return f"Follow-up of type {names.name('list_item', settings.type) or 'that was deleted'}"

    def problems(self, criterion: SuccessCriterion, ctx: CheckContext) -> list[Problem]:
        """A chosen type must exist."""
        settings: FollowUpCreatedSettings = self.settings(criterion)
        if settings.type is not None and ctx.name("list_item", settings.type) is None:
            return [Problem("The type was deleted: choose another", place="type")]
        return []

    def references(self, criterion: SuccessCriterion) -> list[Reference]:
        """Yield the type."""
        settings: FollowUpCreatedSettings = self.settings(criterion)
        return [] if settings.type is None else [Reference("list_item", settings.type)]


class _OfType:
    """Looks at the event's data and nothing else: the type's id is there."""

    def __init__(self, type_id: int) -> None:
        self.type_id = type_id

    def __call__(self, data: Mapping[str, Any]) -> bool:
        about = data.get("follow_up")
        return isinstance(about, dict) and about.get("type_id") == self.type_id
