"""Split: the leftmost branch that holds wins; everyone else is last. What is asked is a basis (table.py)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from pydantic import field_validator

from flows.document import Branch, StepNode
from flows.steps.base import (
    Advance,
    CheckContext,
    Cohort,
    Exit,
    Outcome,
    Outcomes,
    Problem,
    Reference,
    StepContext,
    StepKind,
    StepSettings,
    else_branch,
)
from flows.steps.forms import StepForm, offer, to_number
from flows.steps.split.base import Basis, Took
from flows.steps.split.table import BASES


class SplitSettings(StepSettings):
    """What the branches are based on."""

    based_on: str = "contact"
    form: int | None = None

    @field_validator("based_on")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in BASES:
            raise ValueError("Choose what the split is based on")
        return name


class SplitForm(StepForm):
    """The settings panel: the branches have panels of their own."""

    based_on = forms.ChoiceField(
        label="Based on",
        choices=[(basis.name, basis.label) for basis in BASES],
        help_text="Changing it empties what the branches ask for.",
    )
    form = forms.TypedChoiceField(label="Form", required=False, coerce=to_number, empty_value=None)
    template = "flows/steps/split.html"

    def prepare(self) -> None:
        """Offer the forms."""
        offer(self, "form", "form")

    def settings(self) -> dict[str, Any]:
        """Keep the form only where the answers of one are asked for."""
        if not BASES[self.cleaned_data["based_on"]].asks_form:
            self.cleaned_data["form"] = None
        return super().settings()


class Split(StepKind):
    """See the module."""

    name = "split"
    label = "Split"
    description = "Send contacts different ways, by what is known about them or what they did."
    icon = "git-fork"
    family = "split"
    Settings = SplitSettings
    Form = SplitForm
    has_branches = True

    def new(self) -> StepNode:
        """Return a split with one branch to fill in, and everyone else."""
        return StepNode(
            kind=self.name, title=self.label, branches=(Branch(name="Branch 1"), Branch(name="Everyone else"))
        )

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Say how many branches there are and how they are chosen."""
        basis = basis_of(node)
        how = "first match wins" if basis.by_criteria else basis.label[0].lower() + basis.label[1:]
        return f"{len(node.branches)} branches, {how}"

    def branch_summary(self, node: StepNode, branch: Branch, names: CheckContext) -> str:
        """Return what a branch asks for, in words; criteria are described by whoever draws many at once."""
        return basis_of(node).summary(node, branch, names)

    def adopt(self, old: StepNode, new: StepNode) -> StepNode:
        """Empty what the branches ask for where the split is based on something else now; their steps stay."""
        before, after = self.settings(old), self.settings(new)
        if (before.based_on, before.form) == (after.based_on, after.form):
            return new
        emptied = tuple(b.model_copy(update={"criteria": None, "settings": {}}) for b in new.branches)
        return new.model_copy(update={"branches": emptied})

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """Every branch but the last needs a name and something to ask for that makes sense."""
        basis, found = basis_of(node), []
        for branch in node.branches[:-1]:
            if not branch.name:
                found.append(Problem("Name every branch", place=str(branch.id)))
            label = f"“{branch.name}”" if branch.name else "A branch"
            for text in basis.problems(node, branch, ctx):
                gap = "" if text.startswith(":") else " "
                found.append(Problem(f"{label}{gap}{text}", place=str(branch.id)))
        return found

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield what the branches ask for and where their exits lead."""
        yield from basis_of(node).references(node)
        for branch in node.branches:
            if branch.exit is not None and branch.exit.flow is not None:
                yield Reference("flow", branch.exit.flow)
            if branch.exit is not None and branch.exit.selection is not None:
                yield Reference("selection", branch.exit.selection)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Find each traveller's branch, for the whole cohort at once."""
        node = cohort.node
        found, seen = basis_of(node).decide(node, cohort, ctx)
        outcomes = Outcomes(default=_into(else_branch(node)), seen=seen)
        ways: dict[int, Outcome] = {}
        for participant, took in found.items():
            # Who took a branch for the same reason shares one outcome, so they are written as one group.
            way = ways.get(id(took)) or ways.setdefault(id(took), _taken(node, took))
            outcomes.by_id[participant] = way
        if isinstance(outcomes.default, Exit):
            self._say_why(node, cohort, ctx, outcomes)
        return outcomes

    @staticmethod
    def _say_why(node: StepNode, cohort: Cohort, ctx: StepContext, outcomes: Outcomes) -> None:
        """Whoever leaves here, because no branch took them, keeps what was seen."""
        leaving = [t for t in cohort if t.id not in outcomes.by_id]
        seen = basis_of(node).missed(node, [t.contact_id for t in leaving], ctx)
        for traveller in leaving:
            if traveller.contact_id in seen:
                outcomes.by_id[traveller.id] = _into(else_branch(node), seen[traveller.contact_id])


def basis_of(node: StepNode) -> Basis:
    """Return what a split is based on."""
    return BASES[SplitSettings.model_validate(node.settings).based_on]


def _taken(node: StepNode, took: Took) -> Outcome:
    return _into(node.branches[took.position], took.seen)


def _into(branch: Branch, seen: Mapping[str, Any] | None = None) -> Outcome:
    """Return the way into a branch; an exit branch without steps ends right here."""
    values = {"branch": branch.name or "Everyone else", **(seen or {})}
    if branch.exit is not None and not branch.steps:
        return Exit("no_branch", values=values, exit=branch.exit, branch=branch.id)
    return Advance(branch=branch.id, values=values)
