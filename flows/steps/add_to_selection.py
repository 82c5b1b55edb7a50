"""Add to selection: the contact becomes a member of a static selection."""

from __future__ import annotations

from crm import bulk
from crm.events import Origin
from flows.steps.base import Cohort, Outcomes, StepContext
from flows.steps.selections import SelectionStep


class AddToSelection(SelectionStep):
    """See the module."""

    name = "add_to_selection"
    label = "Add to selection"
    description = "Make the contact a member of a static selection."
    icon = "list-plus"
    verb = "Add to"

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Add everyone who is not a member yet."""
        bulk.add_to_selection(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            selection_id=self.chosen(cohort.node),
            contact_ids=cohort.contact_ids,
            now=ctx.now,
            origin=Origin.FLOW,
            flow_id=ctx.flow_id,
        )
        return Outcomes()
