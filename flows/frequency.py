"""The frequency cap at a step that sends: who goes on to be written to, and what becomes of the others."""

from __future__ import annotations

from delivery.frequency import full_contacts
from flows.steps.base import Cohort, Hold, Outcome, Skip, StepContext

REASON = "Frequency cap"
SKIPPED = "frequency_cap"


def within_cap(cohort: Cohort, ctx: StepContext) -> tuple[Cohort, dict[int, Outcome]]:
    """Return the part of the cohort that has room, and the outcomes of the rest by participant id.

    Who waits is held until the moment from which there is room, and passes guards and cap again.
    """
    full = full_contacts(ctx.cursor, tenant_id=ctx.tenant_id, contact_ids=cohort.contact_ids, now=ctx.now)
    if not full.until:
        return cohort, {}
    # One object for each different outcome: the engine does each once.
    skip = Skip(SKIPPED)
    holds = {moment: Hold(moment, REASON) for moment in full.until.values()}
    others: dict[int, Outcome] = {
        traveller.id: skip if full.skips else holds[full.until[traveller.contact_id]]
        for traveller in cohort
        if traveller.contact_id in full.until
    }
    return Cohort(cohort.node, [traveller for traveller in cohort if traveller.id not in others]), others
