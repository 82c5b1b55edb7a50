"""Split on the membership of a selection or a project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from crm.criteria.among import these
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.sql import compile_criteria
from flows.document import Branch, StepNode
from flows.steps.base import CheckContext, Cohort, Reference, StepContext
from flows.steps.forms import to_number
from flows.steps.split.base import Basis, Took


class Membership(Basis):
    """Base of the two: the members of what a branch names."""

    kind: str

    def fields(self, split: StepNode, branch: Branch, flow_id: int) -> dict[str, forms.Field]:
        """One choice."""
        chosen = branch.settings.get(self.kind)
        return {
            self.kind: forms.TypedChoiceField(
                label=f"Members of the {self.kind}",
                required=False,
                coerce=to_number,
                empty_value=None,
                initial=chosen,
            )
        }

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the chosen one."""
        return {self.kind: given[self.kind]}

    def summary(self, split: StepNode, branch: Branch, names: CheckContext) -> str:
        """Name it."""
        chosen = branch.settings.get(self.kind)
        return f"member of “{names.name(self.kind, chosen) or 'something deleted'}”" if chosen else ""

    def problems(self, split: StepNode, branch: Branch, names: CheckContext) -> Iterable[str]:
        """One must be chosen and exist."""
        chosen = branch.settings.get(self.kind)
        if chosen is None:
            yield f"names no {self.kind}"
        elif names.name(self.kind, chosen) is None:
            yield f": the {self.kind} was deleted, choose another"

    def takes_all(self, split: StepNode, left: Branch, right: Branch) -> bool:
        """Whether both name the same one."""
        chosen = right.settings.get(self.kind)
        return chosen is not None and left.settings.get(self.kind) == chosen

    def references(self, split: StepNode) -> Iterable[Reference]:
        """Yield the chosen ones."""
        for branch in split.branches:
            if branch.settings.get(self.kind) is not None:
                yield Reference(self.kind, branch.settings[self.kind])

    def judge(self, node: StepNode, cohort: Cohort, ctx: StepContext) -> dict[int, Took]:
        """One statement, by the same words that criteria ask for members with."""
        cases, params = [], []
        for position, branch in enumerate(node.branches[:-1]):
            chosen = branch.settings.get(self.kind)
            if chosen is None:
                continue
            line = Line(field=f"contact.{self.kind}s", operator="one_of", values=(chosen,))
            criteria = Criteria(groups=(Group(lines=(line,)),))
            compiled = compile_criteria(criteria, now=ctx.now, zone=ctx.settings.zone)
            cases.append(f"WHEN {compiled.sql} THEN {position}")
            params.extend(compiled.params)
        if not cases:
            return {}
        way = f"CASE {' '.join(cases)} END"
        sql: Any = f"SELECT c.id, {way} FROM {these(way)}"
        ctx.cursor.execute(sql, [*params, cohort.contact_ids, ctx.tenant_id])
        took = {contact: position for contact, position in ctx.cursor.fetchall() if position is not None}
        return {t.id: Took(took[t.contact_id]) for t in cohort if t.contact_id in took}


class SelectionMembership(Membership):
    """See the module."""

    name = "selection"
    label = "Membership of a selection"
    kind = "selection"
    searched = {"selection": "any_selection"}


class ProjectMembership(Membership):
    """See the module."""

    name = "project"
    label = "Membership of a project"
    kind = "project"
    searched = {"project": "project"}
