"""Remove from selection: the contact is no longer a member of a static selection."""

from __future__ import annotations

from crm import bulk
from crm.events import Origin
from flows.steps.base import Cohort, Outcomes, StepContext
from flows.steps.selections import SelectionStep


class RemoveFromSelection(SelectionStep):
    """See the module."""

    name = "remove_from_selection"
    label = "Remove from selection"
    description = "Take the contact out of a static selection."
    icon = "list-dashes"
    verb = "Remove from"

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Remove everyone who is a member."""
        bulk.remove_from_selection(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            selection_id=self.chosen(cohort.node),
            contact_ids=cohort.contact_ids,
            now=ctx.now,
            origin=Origin.FLOW,
            flow_id=ctx.flow_id,
        )
        return Outcomes()
