"""Run script: one of the tenant's scripts, in a sandbox with limits, for the whole cohort in one child process.

What it prints, returns or breaks on is kept on the visit; it never fails a participant. It may set fields of the
contact. Whose turn does not come within the call's few seconds waits a moment and comes again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from accounts.models import Tenant
from content.models import Script
from content.script_values import plain, script_values
from content.scripts.runner import Item, Ran, run_script
from crm import bulk
from crm.bulk.each import setting, update_each
from crm.bulk.targets import targets_by_key
from crm.events import Origin
from flows.document import StepNode
from flows.models import Flow
from flows.steps.base import (
    Advance,
    CheckContext,
    Cohort,
    Hold,
    Outcome,
    Outcomes,
    Problem,
    Reference,
    StepBroken,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.forms import StepForm, offer, to_number

AGAIN = dt.timedelta(seconds=1)


class RunScriptSettings(StepSettings):
    """Which script."""

    script: int | None = None


class RunScriptForm(StepForm):
    """The settings panel."""

    script = forms.TypedChoiceField(label="Script", required=False, coerce=to_number, empty_value=None)
    template = "flows/steps/run_script.html"

    def prepare(self) -> None:
        """Offer every script."""
        offer(self, "script", "script")


class RunScript(StepKind):
    """See the module."""

    name = "run_script"
    label = "Run script"
    description = "Run one of your scripts on the contact's values."
    icon = "code"
    family = "data"
    Settings = RunScriptSettings
    Form = RunScriptForm

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return the script's name."""
        settings: RunScriptSettings = self.settings(node)
        return names.name("script", settings.script) or "No script chosen"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """A script must be chosen and exist; its syntax was checked when it was saved."""
        settings: RunScriptSettings = self.settings(node)
        if settings.script is None:
            return [Problem("Choose a script", place="script")]
        if ctx.name("script", settings.script) is None:
            return [Problem("The script was deleted: choose another", place="script")]
        return []

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the script."""
        settings: RunScriptSettings = self.settings(node)
        if settings.script is not None:
            yield Reference("script", settings.script)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Run for everyone, then make the changes that the script asks for, set-based."""
        settings: RunScriptSettings = self.settings(cohort.node)
        script = (
            Script.objects.select_related("current").filter(pk=settings.script or 0, deleted_at=None).first()
        )
        if script is None or script.current is None:
            raise StepBroken(f"The script of “{cohort.node.title}” is not there any more.")
        ran = run_script(script.current.source, _items(cohort), shared=_shared(ctx))
        refused = _update(cohort, ctx, ran)
        outcomes: dict[int, Outcome] = {}
        for traveller in cohort:
            own = ran.get(traveller.id)
            if own is None:
                outcomes[traveller.id] = Hold(
                    ctx.now + AGAIN, "Waits for its turn to run the script", key="turn"
                )
            else:
                outcomes[traveller.id] = Advance(values=_seen(own, refused.get(traveller.contact_id, "")))
        return Outcomes(by_id=outcomes)


def _items(cohort: Cohort) -> list[Item]:
    values = script_values(cohort.contact_ids)
    return [
        Item(
            t.id,
            {**values.get(t.contact_id, {"contact": {}, "company": {}}), "event": plain(t.event_data or {})},
        )
        for t in cohort
    ]


def _shared(ctx: StepContext) -> dict[str, Any]:
    name = Flow.objects.values_list("name", flat=True).get(pk=ctx.flow_id)
    today = ctx.now.astimezone(ctx.settings.zone).date()
    return {"flow": {"id": ctx.flow_id, "name": name}, "today": today.isoformat()}


def _update(cohort: Cohort, ctx: StepContext, ran: Mapping[int, Ran]) -> dict[int, str]:
    """Make the changes of those whose script ran well; return what was refused, by contact."""
    wanted = {t.contact_id: ran[t.id].updates for t in cohort if t.id in ran and ran[t.id].updates}
    if not wanted:
        return {}
    known = targets_by_key(key for updates in wanted.values() for key in updates)
    bools = {key for key, target in known.items() if target.type == "bool"}
    changes: dict[int, list[bulk.Change]] = {
        contact_id: [setting(key, value, is_bool=key in bools) for key, value in updates.items()]
        for contact_id, updates in wanted.items()
    }
    country = Tenant.objects.values_list("country", flat=True).get(pk=ctx.tenant_id)
    return update_each(
        ctx.cursor,
        tenant_id=ctx.tenant_id,
        changes=changes,
        now=ctx.now,
        origin=Origin.FLOW,
        flow_id=ctx.flow_id,
        zone=ctx.settings.zone,
        country=country,
    )


def _seen(ran: Ran, refused: str) -> dict[str, Any] | None:
    """Return what the visit keeps: result, log and error, and all of it in words."""
    error = ran.error or refused
    words = [f"The script failed: {error}"] if error else []
    if ran.result is not None:
        words.append(f"Result: {ran.result if isinstance(ran.result, str) else json.dumps(ran.result)}")
    if ran.log:
        words.append("It noted: " + " · ".join(ran.log))
    if not words:
        return None
    seen: dict[str, Any] = {"note": " ".join(words)[:1_000], "script_result": ran.result}
    seen["script_log"] = list(ran.log)
    return {**seen, "script_error": error} if error else seen
