"""Participants as rows of a file: read in slices by key, so that a million never lie in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from participants.models import Participant
from participants.queries import ParticipantFilter, ParticipantRow, participants_page

SLICE = 1_000
HEADINGS = (
    "Participant",
    "Contact",
    "Email address",
    "Company",
    "Enrolled",
    "Enrolled by",
    "Status",
    "Drop-out reason",
    "Current step",
    "There since",
    "Waits until",
    "Success met",
    "Ended",
    "Last message",
    "Last message at",
    "Last message status",
)


def export_rows(
    *, flow_id: int, narrowed: ParticipantFilter, headings: Sequence[str] = HEADINGS
) -> Iterator[Sequence[object]]:
    """Yield the headings, then one row a participant, newest first. The tenant's scope must be open."""
    yield headings
    after: int | None = None
    while True:
        page = participants_page(flow_id=flow_id, narrowed=narrowed, after=after, size=SLICE)
        yield from (_cells(row) for row in page.rows)
        if page.next is None:
            return
        after = page.next


def _cells(row: ParticipantRow) -> Sequence[object]:
    participant, message = row.participant, row.message
    return (
        participant.pk,
        row.contact_name,
        row.email,
        row.company_name,
        participant.enrolled_at.isoformat(),
        row.source,
        Participant.Status(participant.status).label,
        row.reason,
        row.step_title,
        participant.step_since.isoformat() if participant.status == Participant.Status.ACTIVE else "",
        participant.waits_until.isoformat() if participant.waits_until else "",
        participant.success_at.isoformat() if participant.success_at else "",
        participant.ended_at.isoformat() if participant.ended_at else "",
        message.email_name if message else "",
        message.at.isoformat() if message else "",
        message.status_label if message else "",
    )
