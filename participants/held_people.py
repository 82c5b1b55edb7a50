"""Who is held at a step, and why: read by `participants_held`, the index of those alone. Reads only.

Why is kept in words (Participant.held_reason, by the outcome Hold); how they begin says which rule it was.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from participants.models import Participant

# Counting stops here.
MOST: Final = 1_000
ANY, OTHER = "any", "other"
# How the words begin: flows.frequency, flows.timeframe, participants.engine.guards_address.
_BEGINS: Final = {
    "cap": "frequency cap",
    "timeframe": "outside the timeframe",
    "address": "another contact with the same email address",
}
# What the list of participants may be narrowed to, as its address and its filter say it.
HELD_BY: Final = {
    ANY: "Held at their step",
    "cap": "Held by the frequency cap",
    "timeframe": "Held until the timeframe opens",
    "address": "Held: same address is being judged",
    OTHER: "Held by an error or a script",
}


@dataclass(frozen=True, slots=True)
class HeldPeople:
    """How many are held at a step by one rule, and when the first of them is tried again."""

    step_id: uuid.UUID | None
    by: str
    number: int
    first_at: dt.datetime | None


def is_held(by: str) -> Q:
    """Return what narrows participants to those who are held by a rule (a key of HELD_BY)."""
    held = ~Q(held_reason="")
    if by in _BEGINS:
        return held & Q(held_reason__startswith=_BEGINS[by])
    if by == OTHER:
        for begin in _BEGINS.values():
            held &= ~Q(held_reason__startswith=begin)
    return held


def held_people(flow_id: int) -> tuple[list[HeldPeople], bool]:
    """Return who is held, the most first, and whether there are more than were counted. One query."""
    rows: QuerySet[Participant] = Participant.objects.filter(flow_id=flow_id, status="active")
    found = list(
        rows.exclude(held_reason="")
        .order_by("-pk")
        .values_list("step_id", "held_reason", "due_at")[: MOST + 1]
    )
    groups: dict[tuple[uuid.UUID | None, str], list[dt.datetime | None]] = {}
    for step_id, reason, due_at in found:
        groups.setdefault((step_id, _by(reason)), []).append(due_at)
    held = [
        HeldPeople(step_id, by, len(moments), _first(moments)) for (step_id, by), moments in groups.items()
    ]
    return sorted(held, key=lambda one: -one.number), len(found) > MOST


def _by(reason: str) -> str:
    return next((by for by, begin in _BEGINS.items() if reason.startswith(begin)), OTHER)


def _first(moments: Sequence[dt.datetime | None]) -> dt.datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
