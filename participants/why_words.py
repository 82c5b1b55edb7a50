"""Why is she not in this flow, in words: what was decided when she was last suggested, and what would be now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm.models import Contact
from flows.models import Flow
from participants.models import Participant, Suggestion
from participants.queries_names import names_of
from participants.why import judge_now
from participants.words import Names, mentioned, moment_words, source_words, verdict_sentence

Verdict = Suggestion.Verdict


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """The newest kept suggestion of a contact for a flow."""

    sentence: str
    came_by: str
    at: dt.datetime
    is_enrolled: bool


@dataclass(frozen=True, slots=True)
class BothAnswers:
    """Both answers: what was decided when the contact was last suggested (None: never), and what would be now."""

    kept: KeptVerdict | None
    now_sentence: str
    would_enter: bool


def both_answers(*, flow: Flow, contact: Contact, now: dt.datetime) -> BothAnswers:
    """Return why a contact is not in a flow. About ten queries, whatever the flow's size. Writes nothing."""
    judged = judge_now(flow_id=flow.pk, contact_id=contact.pk, now=now)
    verdict, values = (judged.verdict, judged.values) if judged else (str(Verdict.NOT_OPEN), {})
    return BothAnswers(
        kept=newest_verdict(flow_id=flow.pk, contact_id=contact.pk),
        now_sentence=sentence_with_values(verdict, values, names_of(mentioned(values))),
        would_enter=verdict == Verdict.ENROLLED,
    )


def newest_verdict(*, flow_id: int, contact_id: int) -> KeptVerdict | None:
    """Return what the rules last decided about a contact for a flow; None: never suggested."""
    suggestion = Suggestion.objects.filter(flow_id=flow_id, contact_id=contact_id).order_by("-id").first()
    if suggestion is None:
        return None
    values = suggestion.values or {}
    return KeptVerdict(
        sentence=sentence_with_values(suggestion.verdict, values, names_of(mentioned(values))),
        came_by=source_words(suggestion.source),
        at=suggestion.at,
        is_enrolled=suggestion.verdict == Verdict.ENROLLED,
    )


def sentence_with_values(verdict: str, values: Mapping[str, Any], names: Names) -> str:
    """Return a verdict as a sentence, with what the failing rule saw."""
    sentence = verdict_sentence(verdict)
    if values.get("rule"):
        seen = str(values.get("seen") or "")
        return f"{sentence} The rule “{values['rule']}” failed: the value was {f'“{seen}”' if seen else 'empty'}."
    if values.get("selection"):
        return f"{sentence} The list is {names.of('selection', values['selection'])}."
    if verdict == Verdict.NOT_OPEN:
        return _closed(values) or sentence
    if values.get("share") and verdict == Verdict.CONTROL:
        return f"{sentence} {values['share']} % are held out."
    if verdict in {Verdict.ACTIVE, Verdict.ONCE} and values.get("participant"):
        return f"{sentence}{_entered(int(values['participant']))}"
    return sentence


def _entered(participant_id: int) -> str:
    """Say when the entry that was in the way had begun, and how it ended; nothing of one that was erased."""
    found = Participant.objects.filter(pk=participant_id).first()
    if found is None:
        return ""
    day = found.enrolled_at
    since = f" It had been entered on {day.day} {day:%B %Y}"
    return (
        f"{since}."
        if found.status == Participant.Status.ACTIVE
        else f"{since} ({found.get_status_display().lower()})."
    )


def _closed(values: Mapping[str, Any]) -> str:
    """Say what kept enrolment closed; older verdicts know the status alone."""
    if values.get("ended"):
        return f"Enrolment was not open: it had ended on {moment_words(values['ended'])}."
    if values.get("started"):
        began = moment_words(values["started"])
        return f"Enrolment was not open: they were sent here before the flow was started on {began}."
    if values.get("since"):
        return f"Enrolment was not open: the flow was not running since {moment_words(values['since'])}."
    if values.get("status") == Flow.Status.NOT_RUNNING:
        return "Enrolment was not open: the flow was not running."
    return ""
