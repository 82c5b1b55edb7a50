"""Running a tenant's script for a contact who clicked or sent a form: later, by a worker, never in a visitor's request.

What it changes is written as the click or form would; what it breaks on is kept for a while, for whoever
mends the script, and fails nobody.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.models import Tenant
from content.models import FormSubmission, Script, ScriptFailure
from content.queries_script import KEPT, MOST
from content.script_values import plain, script_values
from content.scripts.runner import Item, Ran, run_script
from core.db.cursors import raw_cursor
from core.jobs import Slice, start_job
from core.models import Job
from core.tenancy import require_tenant_id
from crm.bulk.each import setting, update_each
from crm.bulk.targets import targets_by_key
from crm.events import Origin

JOB: Final = "contact_script"
TOO_LONG: Final = "The script takes too long."


def run_later(
    *, script_id: int, contact_id: int, event: dict[str, Any], origin: Origin, now: dt.datetime
) -> None:
    """Have a worker run the script for a contact, as soon as this transaction is committed."""
    # Answers stay with their submission: what is erased there is erased here.
    kept = {name: {k: v for k, v in part.items() if k != "answers"} if isinstance(part, dict) else part
            for name, part in event.items()}  # fmt: skip
    told = {"script": script_id, "contact": contact_id, "event": plain(kept), "origin": str(origin)}
    start_job(kind=JOB, now=now, arguments=told, title="Script of a form or tracked link")


@dataclass(frozen=True)
class ContactScript:
    """One script for one contact."""

    name: str = JOB

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Run it once; a script or contact that is gone is left out."""
        _run(job.arguments, now)
        return Slice(cursor={}, done=1, total=1, finished=True)


def _run(told: dict[str, Any], now: dt.datetime) -> None:
    contact_id = told["contact"]
    script = Script.objects.select_related("current").filter(pk=told["script"], deleted_at=None).first()
    values = script_values([contact_id]).get(contact_id)
    if script is None or script.current is None or values is None:
        return
    tenant = Tenant.objects.get(pk=require_tenant_id())
    zone = ZoneInfo(tenant.timezone)
    items = [Item(contact_id, {**values, "event": _event(told["event"])})]
    shared = {"flow": {}, "today": now.astimezone(zone).date().isoformat()}
    ran = run_script(script.current.source, items, shared=shared).get(contact_id)
    error = (ran.error or _update(told, ran, zone, tenant, now)) if ran else TOO_LONG
    if error:
        _keep_failure(script, told, error, now)


def _update(told: dict[str, Any], ran: Ran, zone: ZoneInfo, tenant: Tenant, now: dt.datetime) -> str:
    """Set the fields that the script asks for; return why they are refused, or nothing."""
    known = targets_by_key(ran.updates)
    bools = {key for key, target in known.items() if target.type == "bool"}
    changes = [setting(key, value, is_bool=key in bools) for key, value in ran.updates.items()]
    if not changes:
        return ""
    with raw_cursor() as cursor:
        refused = update_each(
            cursor, tenant_id=tenant.pk, changes={told["contact"]: changes}, now=now, origin=Origin(told["origin"]),
            zone=zone, country=tenant.country,
        )  # fmt: skip
    return refused.get(told["contact"], "")


def _keep_failure(script: Script, told: dict[str, Any], error: str, now: dt.datetime) -> None:
    """Write down what a run broke on; what is old, or more than a page is for, goes."""
    cause = told["event"].get(told["origin"])
    ScriptFailure.objects.create(
        script=script, version=script.revision, contact_id=told["contact"], at=now, origin=told["origin"],
        cause=str(cause.get("name", ""))[:120] if isinstance(cause, dict) else "", message=error[:1_000],
    )  # fmt: skip
    kept = ScriptFailure.objects.filter(script=script)
    last = kept.order_by("-at", "-pk").values_list("at", "pk")[MOST - 1 : MOST].first()
    beyond = Q(at__lt=last[0]) | Q(at=last[0], pk__lt=last[1]) if last else Q()
    kept.filter(Q(at__lt=now - KEPT) | beyond).delete()


def _event(kept: dict[str, Any]) -> dict[str, Any]:
    form = kept.get("form")
    if not isinstance(form, dict):
        return kept
    rows = FormSubmission.objects.filter(pk=form.get("submission") or 0)
    return {**kept, "form": {**form, "answers": plain(rows.values_list("answers", flat=True).first() or {})}}


CONTACT_SCRIPT = ContactScript()
