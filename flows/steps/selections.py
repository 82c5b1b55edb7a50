"""What adding to and removing from share: a static selection, a project, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django import forms

from crm.events import Origin
from flows.document import StepNode
from flows.steps.base import (
    CheckContext,
    Cohort,
    Outcomes,
    Problem,
    Reference,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.forms import StepForm, offer, to_number


class SelectionSettings(StepSettings):
    """The static selection and the project; at least one of them."""

    selection: int | None = None
    project: int | None = None


class SelectionForm(StepForm):
    """The settings panel."""

    selection = forms.TypedChoiceField(label="Selection", required=False, coerce=to_number, empty_value=None)
    project = forms.TypedChoiceField(label="Project", required=False, coerce=to_number, empty_value=None)

    def prepare(self) -> None:
        """Offer every static selection and every project."""
        offer(self, "selection", "selection", empty="None")
        offer(self, "project", "project", empty="None")


class SelectionStep(StepKind):
    """Base of the two kinds; `on_selection` and `on_project` are the writers of crm.bulk."""

    family = "data"
    Settings = SelectionSettings
    Form = SelectionForm
    on_selection: ClassVar[Callable[..., Any]]
    on_project: ClassVar[Callable[..., Any]]

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return the names of selection and project."""
        settings: SelectionSettings = self.settings(node)
        chosen = [names.name("selection", settings.selection), names.name("project", settings.project)]
        return " and ".join(name for name in chosen if name) or "No selection or project chosen"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """A selection or a project must be chosen, and exist."""
        settings: SelectionSettings = self.settings(node)
        if settings.selection is None and settings.project is None:
            return [Problem("Choose a selection or a project", place="selection")]
        found = [
            Problem(f"The {kind} was deleted: choose another", place=kind)
            for kind, chosen in (("selection", settings.selection), ("project", settings.project))
            if chosen is not None and ctx.name(kind, chosen) is None
        ]
        if text := ctx.not_static(settings.selection):
            found.append(Problem(text, place="selection"))
        return found

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the selection and the project."""
        settings: SelectionSettings = self.settings(node)
        if settings.selection is not None:
            yield Reference("selection", settings.selection)
        if settings.project is not None:
            yield Reference("project", settings.project)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Change the memberships of everyone, two statements each; who is (not) a member already is left alone."""
        settings: SelectionSettings = self.settings(cohort.node)
        common: dict[str, Any] = {
            "tenant_id": ctx.tenant_id,
            "contact_ids": cohort.contact_ids,
            "now": ctx.now,
            "origin": Origin.FLOW,
            "flow_id": ctx.flow_id,
        }
        if settings.selection is not None:
            type(self).on_selection(ctx.cursor, selection_id=settings.selection, **common)
        if settings.project is not None:
            type(self).on_project(ctx.cursor, project_id=settings.project, **common)
        return Outcomes()
