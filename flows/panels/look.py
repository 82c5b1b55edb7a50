"""Panels without a form: the palette, the problems, the revisions."""

from __future__ import annotations

from typing import Any

from flows.checks.base import opens
from flows.finding import find
from flows.panels.base import Panel
from flows.queries import revisions_of
from flows.steps.base import StepKind
from flows.steps.table import STEP_KINDS

FAMILIES = {
    "message": "Messages",
    "time": "Waiting",
    "split": "Splitting",
    "data": "Data",
    "goal": "Goals",
}


def families() -> list[tuple[str, list[StepKind]]]:
    """Return the step kinds by family, each family once; within one, in menu order."""
    return [
        (label, [kind for kind in STEP_KINDS if kind.family == family]) for family, label in FAMILIES.items()
    ]


class PalettePanel(Panel):
    """What is there when nothing is selected: the steps that can be added."""

    template = "flows/panel/palette.html"

    def context(self) -> dict[str, Any]:
        """The kinds by family."""
        return {"families": families()}


class ProblemsPanel(Panel):
    """Everything that is not right, each leading to its place."""

    template = "flows/panel/problems.html"
    heading = "Things to fix"

    def context(self) -> dict[str, Any]:
        """Each problem with the panel and the field that mend it; errors first."""
        return {"listed": [(problem, *opens(problem)) for problem in self.designer.problems]}


class FindPanel(Panel):
    """Every step and branch, or those that hold the words; each leads to its place."""

    template = "flows/panel/find.html"
    heading = "Find"

    def context(self) -> dict[str, Any]:
        """What was found."""
        designer = self.designer
        return {"found": find(designer.canvas, designer.document, designer.ctx, designer.query)}


class RevisionsPanel(Panel):
    """Every save: who, when, what; any of them can be looked at and brought back."""

    template = "flows/panel/revisions.html"
    heading = "Revisions"

    def context(self) -> dict[str, Any]:
        """The newest hundred."""
        return {"revisions": revisions_of(self.designer.flow)[:100]}
