"""What happened to a participant, in words a marketer reads. Pure: names are given, nothing is looked up.

The values come from the engine's guards and the step kinds (the visit's and the participant's *values seen*).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from participants.models import Participant, Suggestion

Reason = Participant.DropReason
Verdict = Suggestion.Verdict
Seen = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """Names of what the values mention by id: {"selection": {7: "Customers"}}."""

    by_kind: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def of(self, kind: str, object_id: Any) -> str:
        """Return a quoted name, or a phrase where the object is gone."""
        name = self.by_kind.get(kind, {}).get(object_id)
        return f"“{name}”" if name else f"(a {kind.replace('_', ' ')} that no longer exists)"


# Which key of the values names an object of which kind.
NAMED: Mapping[str, str] = {
    "selection": "selection",
    "subscription_type": "subscription_type",
    "user": "user",
    "flow": "flow",
    "to_flow": "flow",
    "participant": "participant",
}


def mentioned(values: Seen | None) -> list[tuple[str, int]]:
    """Return the (kind, id) that values mention, for looking their names up at once."""
    return [
        (NAMED[key], value)
        for key, value in (values or {}).items()
        if key in NAMED and isinstance(value, int)
    ]


def _cap(seen: Seen) -> str:
    return (
        f"Frequency cap: {seen['cap']}."
        if "cap" in seen
        else "Had as many messages as the frequency cap allows."
    )


# Why a step was skipped, where nobody could have dropped out for it.
SKIPS: Mapping[str, Callable[[Seen], str]] = {"frequency_cap": _cap}


def drop_sentence(reason: str, values: Seen | None, names: Names) -> str:
    """Say why somebody dropped out, with the values seen."""
    try:
        words = _DROPS[Reason(reason)]
    except (KeyError, ValueError):
        if reason in SKIPS:
            return SKIPS[reason](values or {})
        return reason.replace("_", " ").capitalize() + "."
    return words(values or {}, names)


def _no_consent(seen: Seen, names: Names) -> str:
    if seen.get("consent") == "withdrawn":
        return f"E-marketing consent was withdrawn{_on(seen.get('at'))}."
    return "There was no record of e-marketing consent."


def _unsubscribed(seen: Seen, names: Names) -> str:
    kind = seen.get("subscription_type")
    what = names.of("subscription_type", kind) if kind else "this type of message"
    return f"Unsubscribed from {what}{_on(seen.get('at'))}."


def _excluded(seen: Seen, names: Names) -> str:
    chosen = seen.get("selection")
    name = f" {names.of('selection', chosen)}" if chosen else ""
    return f"Was on the exclusion list{name}{_on(seen.get('at'), 'since')}."


def _deleted(seen: Seen, names: Names) -> str:
    return f"The contact was erased{_on(seen.get('at'))}."


def _duplicate(seen: Seen, names: Names) -> str:
    holder = seen.get("participant")
    who = names.of("participant", holder) if holder else "Another contact"
    address = f"the same email address ({seen['email']})" if seen.get("email") else "the same email address"
    if "got" not in seen:
        return f"{who} with {address} had got this email, or had entered the flow earlier."
    return f"{who} with {address} {'had got this email' if seen['got'] else 'had entered the flow earlier'}."


def _blocked(seen: Seen, names: Names) -> str:
    why = str(seen.get("blocked") or "").replace("_", " ")
    address = f" {seen['email']}" if seen.get("email") else ""
    return f"The email address{address} was blocked{_on(seen.get('at'))}{f' ({why})' if why else ''}."


def _no_mobile(seen: Seen, names: Names) -> str:
    number = seen.get("mobile")
    return f"“{number}” is no valid mobile number." if number else "Had no mobile number."


def _stopped(seen: Seen, names: Names) -> str:
    number = f" ({seen['number']})" if seen.get("number") else ""
    return f"Opted out of SMS{number}{_on(seen.get('at'))}."


def _no_reply(seen: Seen, names: Names) -> str:
    until = seen.get("waited_until")
    return (
        f"Did not react in time: waited until {moment_words(until)}." if until else "Did not react in time."
    )


def _merged(seen: Seen, names: Names) -> str:
    earlier = _on(seen.get("first_enrolled_at"))
    return f"The contact was merged with another one that entered earlier{f',{earlier}' if earlier else ''}."


def _moved(seen: Seen, names: Names) -> str:
    flow = seen.get("flow")
    return f"Moved to the flow {names.of('flow', flow)}." if flow else "Moved to another flow."


def _by_user(seen: Seen, names: Names) -> str:
    user = seen.get("user")
    return f"Taken out by {names.of('user', user).strip('“”')}." if user else "Taken out by a user."


def _no_branch(seen: Seen, names: Names) -> str:
    branch = seen.get("branch")
    where = f"The branch “{branch}” ends in Exit flow." if branch else "The branch ends in Exit flow."
    if not seen.get("rule"):
        return where
    value = str(seen.get("seen") or "")
    return f"{where} “{seen['rule']}” did not hold: the value was {f'“{value}”' if value else 'empty'}."


def _failed(seen: Seen, names: Names) -> str:
    error = seen.get("error")
    return f"The step failed: {error}" if error else "The step failed."


def _plain(text: str) -> Callable[[Seen, Names], str]:
    return lambda seen, names: text


_DROPS: Mapping[Reason, Callable[[Seen, Names], str]] = {
    Reason.FORMER_EMPLOYEE: _plain("Marked as former employee."),
    Reason.CONTACT_DELETED: _deleted,
    Reason.EXCLUDED: _excluded,
    Reason.NO_CONSENT: _no_consent,
    Reason.UNSUBSCRIBED: _unsubscribed,
    Reason.NO_EMAIL: _plain("Had no email address."),
    Reason.DUPLICATE_ADDRESS: _duplicate,
    Reason.ADDRESS_BLOCKED: _blocked,
    Reason.NO_MOBILE: _no_mobile,
    Reason.SMS_OPT_OUT: _stopped,
    Reason.NO_REPLY: _no_reply,
    Reason.NO_BRANCH: _no_branch,
    Reason.MOVED: _moved,
    Reason.REMOVED_BY_USER: _by_user,
    Reason.MERGED: _merged,
    Reason.STEP_FAILED: _failed,
}

# Drop-out reasons and skipped sends share their words; a visit's `how` may also be one of these.
ENDINGS: Mapping[str, str] = {
    "": "Went on",
    "skipped": "Skipped, went on",
    "timed_out": "Nothing happened in time, went on",
    "moved_on": "Moved on by a user",
    "removed_step": "The step was removed, went on",
    "no_date": "The date field was empty, went on",
    "assigned_already": "Had our contact already, went on",
    "no_free_time": "There was no free time, went on",
    "success": "Finished with success",
    "finished": "Finished",
    "cancelled": "Cancelled: the flow was ended",
}

# Contacts that were erased since they were chosen are not judged and get no row.
GONE = "gone"

VERDICTS: Mapping[str, str] = {
    Verdict.ENROLLED: "Passed every rule and entered the flow.",
    Verdict.NOT_OPEN: "Enrolment was not open: the flow was not running, or its enrolment had ended.",
    Verdict.FILTER: "Did not pass the flow's filter.",
    Verdict.EXCLUDED: "Was on the flow's exclusion list.",
    Verdict.ACTIVE: "Was active in this flow already.",
    Verdict.ONCE: "Had been in this flow before, and it may be started only once.",
    Verdict.CONTROL: "Belongs to the control group, which is held out of this flow.",
    Verdict.LOOP: "Flows had sent this contact here three times within 24 hours.",
    GONE: "Was erased since, or is not there any more.",
}

SOURCES: Mapping[str, str] = {
    "manual": "added by hand",
    "selection": "added from a selection",
    "list": "added from the contact list",
    "trigger": "a trigger",
    "flow_event": "a trigger, by another flow",
    "onward": "sent on by another flow",
    "api": "the API",
}


def source_words(source: str) -> str:
    """Say by which road a suggestion came."""
    return SOURCES.get(source, source.replace("_", " "))


def verdict_sentence(verdict: str) -> str:
    """Say what the rules decided."""
    return VERDICTS.get(verdict) or verdict.replace("_", " ").capitalize() + "."


def verdict_label(verdict: str) -> str:
    """Return a verdict in a few words."""
    return str(Verdict(verdict).label) if verdict in Verdict.values else "No longer there"


def moment_words(text: str) -> str:
    """Return a moment that was kept in the flow's timezone as it is read: 3 November 2026 at 14:05."""
    moment = dt.datetime.fromisoformat(text)
    return f"{moment.day} {moment:%B %Y} at {moment:%H:%M}"


def ending_words(ended: str, how: str) -> str:
    """Say how a visit ended."""
    if how in ENDINGS:
        return ENDINGS[how]
    if ended == "left" and how in Reason.values:
        return f"Dropped out: {Reason(how).label.lower()}"
    return how.replace("_", " ").capitalize()


def duration(span: dt.timedelta) -> str:
    """Return a span as people say it, its two largest units: 2 days 3 hours."""
    seconds = max(0, int(span.total_seconds()))
    parts = []
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
        elif parts:
            break
    return " ".join(parts[:2]) or "a moment"


def _on(moment: Any, word: str = "on") -> str:
    try:
        at = dt.datetime.fromisoformat(str(moment))
    except ValueError:
        return ""
    return f" {word} {at.day} {at:%B %Y}"
