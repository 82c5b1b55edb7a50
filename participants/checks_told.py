"""The checks before a step as the participant's page lists them: passed, failed, held, or not reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows.steps.base import StepKind
from participants.models import Visit
from participants.words_visit import holds_of

EVERYONES_CHECKS = ("Success criterion", "Former employee or erased", "Exclusion list")
EMAIL_CHECKS = (
    "E-marketing consent",
    "Subscription",
    "Email address",
    "Address twice in the flow",
    "Blocked address",
    "Frequency cap",
    "Timeframe",
)
SMS_CHECKS = ("E-marketing consent", "Subscription", "Mobile number", "STOP", "Frequency cap", "Timeframe")
CHANNEL_CHECKS: Mapping[str, tuple[str, ...]] = {"email": EMAIL_CHECKS, "sms": SMS_CHECKS}
_FAILED_AT: Mapping[str, str] = {
    "former_employee": "Former employee or erased",
    "contact_deleted": "Former employee or erased",
    "excluded": "Exclusion list",
    "no_consent": "E-marketing consent",
    "unsubscribed": "Subscription",
    "no_email": "Email address",
    "duplicate_address": "Address twice in the flow",
    "address_blocked": "Blocked address",
    "no_mobile": "Mobile number",
    "sms_opt_out": "STOP",
    "frequency_cap": "Frequency cap",
}
# Which check held whom, by the key that the visit keeps the hold under.
_HELD_AT: Mapping[str, str] = {
    "held_cap": "Frequency cap",
    "held_timeframe": "Timeframe",
    "held_address": "Address twice in the flow",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check before a step: passed, failed, held, or not reached because an earlier one failed or holds."""

    label: str
    result: str


def checks_of(visit: Visit, kind: StepKind | None) -> list[Check]:
    """Tell the checks before the step (spec: progression), up to the one that failed."""
    if kind is None:
        return []
    labels = [*EVERYONES_CHECKS, *CHANNEL_CHECKS.get(kind.channel, ())]
    reason = str((visit.values or {}).get("reason", "")) if visit.how == "skipped" else visit.how
    failed = "Success criterion" if visit.how == "success" else _FAILED_AT.get(reason)
    holds = {_HELD_AT[key] for key in holds_of(visit.values or {}) if key in _HELD_AT}
    checks, result = [], "passed"
    for label in labels:
        if label == failed:
            checks.append(Check(label, "met" if visit.how == "success" else "failed"))
            result = "not reached"
        else:
            held = label in holds and (visit.ended == "" or result == "not reached")
            checks.append(Check(label, "held" if held else result))
            result = "not reached" if held and visit.ended == "" else result
    return checks
