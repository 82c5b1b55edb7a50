"""Split on contact and company data: criteria, judged for the whole cohort with one statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm.criteria.among import these
from crm.criteria.explain import first_failure
from crm.criteria.implied import implies
from crm.criteria.seen import looked_at
from crm.criteria.sql import compile_criteria
from crm.criteria.validate import problems as criteria_problems
from flows.criteria_uses import criteria_uses
from flows.document import Branch, StepNode
from flows.steps.base import CheckContext, Cohort, Reference, StepContext
from flows.steps.split.base import LOOKED_AT, Basis, Took


class ContactData(Basis):
    """See the module."""

    name = "contact"
    label = "Contact and company data"
    by_criteria = True

    def problems(self, split: StepNode, branch: Branch, names: CheckContext) -> Iterable[str]:
        """There must be criteria that make sense."""
        if branch.criteria is None or branch.criteria.is_empty:
            yield "has no criteria"
        else:
            yield from (f": {text}" for text in criteria_problems(branch.criteria))

    def takes_all(self, split: StepNode, left: Branch, right: Branch) -> bool:
        """Whether every group of the right has all lines of some group of the left."""
        if left.criteria is None or right.criteria is None:
            return False
        return implies(right.criteria, left.criteria)

    def references(self, split: StepNode) -> Iterable[Reference]:
        """Yield what the criteria name."""
        for branch in split.branches:
            if branch.criteria is not None:
                yield from criteria_uses(branch.criteria)

    def missed(
        self, node: StepNode, contact_ids: Sequence[int], ctx: StepContext
    ) -> dict[int, Mapping[str, Any]]:
        """Say which line of the leftmost branch failed, and what it saw."""
        criteria = next((b.criteria for b in node.branches[:-1] if b.criteria is not None), None)
        if criteria is None or not contact_ids:
            return {}
        failed = first_failure(
            criteria, contact_ids=contact_ids, now=ctx.now, zone=ctx.settings.zone, cursor=ctx.cursor
        )
        return {contact: failure.as_values() for contact, failure in failed.items()}

    def judge(self, node: StepNode, cohort: Cohort, ctx: StepContext) -> dict[int, Took]:
        """Return what decide finds, without the values."""
        return self.decide(node, cohort, ctx)[0]

    def decide(
        self, node: StepNode, cohort: Cohort, ctx: StepContext
    ) -> tuple[dict[int, Took], dict[int, Mapping[str, Any]]]:
        """One CASE over the branches, and beside it each value that they look at."""
        cases, params = [], []
        asked = [
            b.criteria if b.criteria is not None and not b.criteria.is_empty else None
            for b in node.branches[:-1]
        ]
        for position, criteria in enumerate(asked):
            if criteria is not None:
                compiled = compile_criteria(criteria, now=ctx.now, zone=ctx.settings.zone)
                cases.append(f"WHEN {compiled.sql} THEN {position}")
                params.extend(compiled.params)
        if not cases:
            return {}, {}
        looked = looked_at((one for one in asked if one is not None), now=ctx.now, zone=ctx.settings.zone)
        columns = f"CASE {' '.join(cases)} END, {', '.join(looked.columns)}"
        sql: Any = f"SELECT c.id, {columns} FROM {these(columns)}"
        ctx.cursor.execute(sql, [*params, *looked.params, cohort.contact_ids, ctx.tenant_id])
        return _ways(cohort, ctx.cursor.fetchall(), looked.keys)


def _ways(
    cohort: Cohort, rows: Sequence[Sequence[Any]], keys: Sequence[str]
) -> tuple[dict[int, Took], dict[int, Mapping[str, Any]]]:
    """Turn (contact, position or None, values …) into ways and values by participant; equal ones share one object."""
    by_id = {traveller.contact_id: traveller.id for traveller in cohort}
    ways: dict[int, Took] = {}
    shared: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    took: dict[int, Took] = {}
    seen: dict[int, Mapping[str, Any]] = {}
    for contact_id, position, *values in rows:
        participant = by_id[contact_id]
        if position is not None:
            took[participant] = ways.get(position) or ways.setdefault(position, Took(position))
        saw = tuple(values)
        if saw not in shared:
            shared[saw] = {LOOKED_AT: dict(zip(keys, saw, strict=True))}
        seen[participant] = shared[saw]
    return took, seen
