"""Contact changed: criteria on the contact, its company or its memberships come true (`SuccessCriterion.criteria`)."""

from __future__ import annotations

from collections.abc import Iterable

from crm.criteria.change import judged_after
from crm.criteria.describe import describe
from crm.criteria.schema import Criteria
from crm.criteria.validate import problems as criteria_problems
from flows.criteria_uses import criteria_uses
from flows.document import SuccessCriterion
from flows.steps.base import CheckContext, Problem, Reference
from flows.success.base import SuccessKind


class CriteriaHold(SuccessKind):
    """See the module."""

    name = "criteria"
    label = "Contact changed"
    description = "Criteria on the contact, its company or its memberships come true."
    icon = "user-focus"
    is_state = True
    asks_criteria = True

    def state(self, criterion: SuccessCriterion) -> Criteria | None:
        """Return the criteria themselves."""
        return criterion.criteria

    def wakes_on(self, criterion: SuccessCriterion) -> frozenset[str]:
        """Every change of what the criteria look at; the day's turn is judged apart (depends_on_today)."""
        return judged_after(criterion.criteria) if criterion.criteria is not None else frozenset()

    def summary(self, criterion: SuccessCriterion, names: CheckContext) -> str:
        """Describe the criteria."""
        empty = criterion.criteria is None or criterion.criteria.is_empty
        return "No criteria yet" if empty or criterion.criteria is None else describe(criterion.criteria)

    def problems(self, criterion: SuccessCriterion, ctx: CheckContext) -> list[Problem]:
        """There must be criteria, and they must make sense."""
        if criterion.criteria is None or criterion.criteria.is_empty:
            return [Problem("Say which criteria make a success", place="criteria")]
        return [Problem(text, place="criteria") for text in criteria_problems(criterion.criteria)]

    def references(self, criterion: SuccessCriterion) -> Iterable[Reference]:
        """Yield what the criteria name."""
        if criterion.criteria is not None:
            yield from criteria_uses(criterion.criteria)
