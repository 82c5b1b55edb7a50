"""What comes in from the pages of participants: the filter of the list, and what to do with the chosen ones."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from participants.models import Participant
from participants.queries import COMPLETED, ParticipantFilter
from participants.search import contacts_matching

ACTIONS = (
    ("take_out", "Take out"),
    ("move_on", "Move on now"),
    ("retry", "Try again now"),
    ("remove", "Remove from flow"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The list's URL, read: unknown values narrow nothing."""

    status: str
    step_id: uuid.UUID | None
    reason: str
    search: str
    before: int | None
    after: int | None

    @property
    def narrowed(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.status or self.step_id or self.reason or self.search)

    def as_filter(self) -> ParticipantFilter:
        """Return what the query narrows by; a search is turned into contacts here."""
        return ParticipantFilter(
            status=self.status,
            step_id=self.step_id,
            reason=self.reason,
            contact_ids=contacts_matching(self.search) if self.search else None,
        )


def asked(data: QueryDict) -> Asked:
    """Read the list's URL."""
    status, reason = data.get("status", ""), data.get("reason", "")
    return Asked(
        status=status if status in {*Participant.Status.values, COMPLETED} else "",
        step_id=_uuid(data.get("step", "")),
        reason=reason if reason in Participant.DropReason.values else "",
        search=data.get("q", "").strip()[:100],
        before=number(data.get("before", "")),
        after=number(data.get("after", "")),
    )


def number(text: str) -> int | None:
    """Return an id out of a URL, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


class ActForm(forms.Form):
    """What to do with which participants."""

    action = forms.ChoiceField(choices=ACTIONS)
    ids = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, data: QueryDict, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        # Any number is a possible id: whose it is, the operation finds out.
        ids = [one for one in data.getlist("ids") if number(one) is not None][:1000]
        self.fields["ids"].choices = [(one, one) for one in ids]  # type: ignore[attr-defined]
