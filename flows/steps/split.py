"""Split: the leftmost branch whose criteria hold wins; everyone else is last.

Based on contact and company data. One statement judges the whole cohort.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from crm.criteria.sql import FROM, compile_criteria
from crm.criteria.validate import problems as criteria_problems
from flows.criteria_uses import criteria_uses
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
from flows.steps.forms import StepForm


class SplitSettings(StepSettings):
    """What the branches are based on."""

    based_on: Literal["contact"] = "contact"


class SplitForm(StepForm):
    """The settings panel: the branches have panels of their own."""

    template = "flows/steps/split.html"


class Split(StepKind):
    """See the module."""

    name = "split"
    label = "Split"
    description = "Send contacts different ways, by what is known about them."
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
        return f"{len(node.branches)} branches, first match wins"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """Every branch but the last needs a name and criteria that make sense."""
        found = []
        for branch in node.branches[:-1]:
            label = f"“{branch.name}”" if branch.name else "A branch"
            if not branch.name:
                found.append(Problem("Name every branch", place=str(branch.id)))
            if branch.criteria is None or branch.criteria.is_empty:
                found.append(Problem(f"{label} has no criteria", place=str(branch.id)))
            else:
                texts = criteria_problems(branch.criteria)
                found.extend(Problem(f"{label}: {text}", place=str(branch.id)) for text in texts)
        return found

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield what the branches' criteria and exits name."""
        for branch in node.branches:
            if branch.criteria is not None:
                yield from criteria_uses(branch.criteria)
            if branch.exit is not None and branch.exit.flow is not None:
                yield Reference("flow", branch.exit.flow)
            if branch.exit is not None and branch.exit.selection is not None:
                yield Reference("selection", branch.exit.selection)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Find each traveller's branch with one statement."""
        node = cohort.node
        found = self._judge(node.branches[:-1], cohort, ctx)
        outcomes = Outcomes(default=_into(else_branch(node)))
        ways = [_into(branch) for branch in node.branches[:-1]]
        for traveller in cohort:
            position = found.get(traveller.contact_id)
            if position is not None:
                outcomes.by_id[traveller.id] = ways[position]
        return outcomes

    def _judge(self, branches: Sequence[Branch], cohort: Cohort, ctx: StepContext) -> dict[int, int]:
        """Return the position of the winning branch by contact id; who is missing is everyone else."""
        cases, params = [], []
        for position, branch in enumerate(branches):
            if branch.criteria is None or branch.criteria.is_empty:
                continue
            compiled = compile_criteria(branch.criteria, now=ctx.now, zone=ctx.settings.zone)
            cases.append(f"WHEN {compiled.sql} THEN {position}")
            params.extend(compiled.params)
        if not cases:
            return {}
        sql: Any = (
            f"SELECT c.id, CASE {' '.join(cases)} END FROM {FROM} "
            "WHERE c.tenant_id = %s AND c.id = ANY(%s::bigint[])"
        )
        ctx.cursor.execute(sql, [*params, ctx.tenant_id, cohort.contact_ids])
        return {contact: position for contact, position in ctx.cursor.fetchall() if position is not None}


def _into(branch: Branch) -> Outcome:
    """Return the way into a branch; an exit branch without steps ends right here."""
    values = {"branch": branch.name or "Everyone else"}
    if branch.exit is not None and not branch.steps:
        return Exit("no_branch", values=values, exit=branch.exit, branch=branch.id)
    return Advance(branch=branch.id, values=values)
