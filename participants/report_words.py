"""Says in words what a number of a report asked the list of participants for. Three look-ups by key at most."""

from __future__ import annotations

import datetime as dt

from accounts.queries import tenant_zone
from content.models import Email
from core.tenancy import require_tenant_id
from flows.models import Step
from participants.asked import Asked
from participants.got import GOT
from participants.words import duration

_WHENS = {"enrolled": "Enrolled", "ended": "Ended", "success": "Met success", "bought": "Bought"}


def report_words(asked: Asked) -> str:
    """Return the filter in a few words: Clicked in a message, Welcome, 1 Nov to 30 Nov 2026. "" where there is none."""
    if not asked.by_report:
        return ""
    parts = [
        _since(asked),
        "with success" if asked.met else "",
        _got(asked),
        _took(asked),
        f"in {asked.bought}" if asked.bought else "",
        _days(asked),
    ]
    words = ", ".join(part for part in parts if part)
    verb = _WHENS.get(asked.when, "")
    words = words[:1].upper() + words[1:]
    return f"{verb} {words[:1].lower() + words[1:]}".strip() if verb and words else verb or words


def _since(asked: Asked) -> str:
    if asked.since is None:
        return ""
    at = asked.since.astimezone(tenant_zone(require_tenant_id()))
    return f"Entered since {at.day} {at:%b %Y, %H:%M}"


def _got(asked: Asked) -> str:
    got = asked.got
    if got is None:
        return ""
    email = (
        Email.objects.filter(pk=got.email_id).values_list("name", flat=True).first() if got.email_id else ""
    )
    step = Step.objects.filter(pk=got.step_id).values_list("title", flat=True).first() if got.step_id else ""
    words = f"Clicked {got.link}" if got.link else GOT[got.state][0]
    return f"{words}, {email or step}" if email or step else words


def _took(asked: Asked) -> str:
    if asked.took is None:
        return ""
    low, high = (duration(dt.timedelta(seconds=one)) if one else "" for one in asked.took)
    return f"after {low} to {high}" if low and high else f"within {high}" if high else f"after {low}"


def _days(asked: Asked) -> str:
    if asked.last is None:
        return ""
    last = f"{asked.last.day} {asked.last:%b %Y}"
    if asked.first is None:
        return f"until {last}"
    return f"on {last}" if asked.first == asked.last else f"{asked.first.day} {asked.first:%b %Y} to {last}"
