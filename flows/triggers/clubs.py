"""Becoming a member of a static selection or a project: what the two triggers share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django import forms

from crm.events import Origin
from flows.clubs import ClubKind, club_problems, club_references
from flows.document import Trigger
from flows.part_form import PartForm
from flows.steps.base import CheckContext, Problem, Reference
from flows.steps.forms import offer, to_number
from flows.triggers.base import EventFilter, TriggerKind


class SelectionPartForm(PartForm):
    """Which selection."""

    club: ClassVar[ClubKind] = "selection"
    selection = forms.TypedChoiceField(label="Selection", required=False, coerce=to_number, empty_value=None)

    def prepare(self) -> None:
        """Offer every static selection, or project."""
        offer(self, self.club, self.club)


class ProjectPartForm(SelectionPartForm):
    """Which project."""

    club = "project"
    selection = None  # type: ignore[assignment]  # Django takes a base's field out that way
    project = forms.TypedChoiceField(label="Project", required=False, coerce=to_number, empty_value=None)


class ClubTrigger(TriggerKind):
    """Base: the settings have one field, named as the kind of club."""

    group = "Selections and projects"
    club: ClassVar[ClubKind]

    def chosen(self, trigger: Trigger) -> int | None:
        """Return the id of what was chosen."""
        found: int | None = getattr(self.settings(trigger), self.club)
        return found

    def event_filter(self, trigger: Trigger) -> EventFilter:
        """Additions to it, but not by import; an unfinished trigger answers to none."""
        number = self.chosen(trigger)
        chosen = () if number is None else (number,)
        return EventFilter(
            f"{self.club}.added", object_ids=chosen, excluded_origins=frozenset({Origin.IMPORT, Origin.MERGE})
        )

    def what(self, trigger: Trigger, names: CheckContext) -> str:
        """Return the name of what was chosen."""
        name = names.name(self.club, self.chosen(trigger))
        return f"Added to “{name}”" if name else self.label

    def problems(self, trigger: Trigger, ctx: CheckContext) -> list[Problem]:
        """One must be chosen and exist."""
        return [*club_problems(ctx, self.club, self.chosen(trigger)), *super().problems(trigger, ctx)]

    def references(self, trigger: Trigger) -> Iterable[Reference]:
        """Yield what was chosen, and what the criteria name."""
        yield from club_references(self.club, self.chosen(trigger))
        yield from super().references(trigger)
