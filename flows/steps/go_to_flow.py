"""Go to another flow: leave (drops out here, then is suggested there), or stay (is suggested there and goes on)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from django import forms

from flows.document import ExitSettings, StepNode
from flows.lasting import AT_ONCE, Lasting
from flows.steps.base import (
    CheckContext,
    Cohort,
    EventRow,
    Exit,
    Outcomes,
    Problem,
    Reference,
    StepBroken,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.forms import StepForm, offer, to_number

ONWARD = "flow.onward"


class GoToFlowSettings(StepSettings):
    """Which flow, and whether the contact leaves this one."""

    flow: int | None = None
    then: Literal["leave", "stay"] = "leave"


class GoToFlowForm(StepForm):
    """The settings panel."""

    flow = forms.TypedChoiceField(label="Flow", required=False, coerce=to_number, empty_value=None)
    then = forms.ChoiceField(
        label="In this flow",
        choices=[("leave", "Leaves, with the reason “moved to another flow”"), ("stay", "Stays and goes on")],
        widget=forms.RadioSelect,
    )
    template = "flows/steps/go_to_flow.html"

    def prepare(self) -> None:
        """Offer the other flows."""
        offer(self, "flow", "flow", flow_id=self.flow_id)


class GoToFlow(StepKind):
    """See the module."""

    name = "go_to_flow"
    label = "Go to another flow"
    description = "Suggest the contact for another flow, and leave this one or stay."
    icon = "arrow-bend-down-right"
    family = "goal"
    Settings = GoToFlowSettings
    Form = GoToFlowForm

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Name the flow, and say whether it leaves."""
        settings: GoToFlowSettings = self.settings(node)
        name = names.name("flow", settings.flow)
        return f"“{name}”, and {settings.then}s" if name else "No flow chosen"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """A flow must be chosen and exist; one that is not running takes nobody."""
        settings: GoToFlowSettings = self.settings(node)
        if settings.flow is None:
            return [Problem("Choose a flow", place="flow")]
        name = ctx.name("flow", settings.flow)
        if name is None:
            return [Problem("The flow was deleted: choose another", place="flow")]
        if ctx.name("open_flow", settings.flow) is None:
            return [Problem(f"“{name}” is not running, so nobody enters it", place="flow", is_warning=True)]
        return []

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the flow."""
        settings: GoToFlowSettings = self.settings(node)
        if settings.flow is not None:
            yield Reference("flow", settings.flow)

    def lasts(self, node: StepNode) -> Lasting | None:
        """Nobody goes on who leaves."""
        return None if self.settings(node).then == "leave" else AT_ONCE

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Suggest everyone there by an event, which intake takes; the other flow's rules decide."""
        settings: GoToFlowSettings = self.settings(cohort.node)
        if settings.flow is None:
            raise StepBroken("No flow is chosen.")
        if settings.then == "leave":
            return Outcomes(default=Exit("moved", {"flow": settings.flow}, ExitSettings(flow=settings.flow)))
        ctx.events += [
            EventRow(ONWARD, traveller.contact_id, traveller.id, object_id=settings.flow)
            for traveller in cohort
        ]
        return Outcomes()
