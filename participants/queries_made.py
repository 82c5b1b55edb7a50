"""What steps made at a participant's visits (sale, request, follow-up), as links for those who may see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.models import Membership
from accounts.urls_for import turl
from crm.queries.desk import requests_for, sales_for
from crm.queries.diary import follow_ups_for
from participants.models import Participant, Visit

# The key in a visit's values → what it is called, its page, and what of it the member may read.
_MADE: Mapping[str, tuple[str, str, Callable[[Membership], QuerySet[Any]]]] = {
    "sale": ("Sale", "crm:sale", sales_for),
    "request": ("Request", "crm:request", requests_for),
    "follow_up": ("Follow-up", "crm:follow_up", follow_ups_for),
}


@dataclass(frozen=True, slots=True)
class Made:
    """One thing that a step made."""

    word: str
    title: str
    url: str


def made_at_visits(*, member: Membership, participant: Participant) -> dict[int, list[Made]]:
    """Return what was made by the number of the visit; one query, and one for each kind of thing that was made."""
    of_visits = Visit.objects.filter(enrolled_on=participant.enrolled_on, participant_id=participant.pk)
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for number, values in of_visits.exclude(values=None).values_list("number", "values"):
        for key, made_id in (values or {}).items():
            if key in _MADE and isinstance(made_id, int):
                found[key][made_id] = number
    made: dict[int, list[Made]] = defaultdict(list)
    for key, visits in found.items():
        word, page, readable = _MADE[key]
        for pk, title in readable(member).filter(pk__in=visits).values_list("pk", "title"):
            made[visits[pk]].append(Made(word, title, turl(member.tenant, page, pk)))
    return dict(made)
