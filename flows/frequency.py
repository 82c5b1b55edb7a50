"""The frequency cap at a step that sends: who goes on to be written to, and what becomes of the others."""

from __future__ import annotations

import datetime as dt

from delivery.frequency import Full, Limit, full_contacts
from flows.steps.base import Cohort, Hold, Outcome, Skip, StepContext

SKIPPED = "frequency_cap"


def within_cap(cohort: Cohort, ctx: StepContext) -> tuple[Cohort, dict[int, Outcome]]:
    """Return the part of the cohort that has room, and the outcomes of the rest by participant id.

    Who waits is held until the moment from which there is room, and passes guards and cap again.
    """
    full = full_contacts(ctx.cursor, tenant_id=ctx.tenant_id, contact_ids=cohort.contact_ids, now=ctx.now)
    if not full.until:
        return cohort, {}
    # One object for each different outcome: the engine does each once.
    made: dict[object, Outcome] = {}
    others: dict[int, Outcome] = {}
    for traveller in cohort:
        contact_id = traveller.contact_id
        if contact_id in full.until:
            until, limit = full.until[contact_id], full.limits[contact_id]
            key = limit if full.skips else (limit, until)
            others[traveller.id] = made.setdefault(key, _outcome(full, limit, until))
    return Cohort(cohort.node, [traveller for traveller in cohort if traveller.id not in others]), others


def _outcome(full: Full, limit: Limit, until: dt.datetime) -> Outcome:
    seen = {"had": limit.had, "most": limit.most, "hours": int(limit.window.total_seconds()) // 3600}
    if full.skips:
        return Skip(SKIPPED, values={**seen, "cap": limit.words})
    return Hold(until, f"frequency cap: {limit.words}", key="cap", values=seen)
