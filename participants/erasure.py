"""What participants keep of a person: values that rules saw. The rows stay, so that numbers add up."""

from __future__ import annotations

from typing import Any

import psycopg

from core.erasure import EMPTY, NOTHING, Person, Place, Room
from participants.models import Participant
from participants.operations.leaving import leave


def end_participations(cursor: psycopg.Cursor[Any], person: Person) -> None:
    """Let the person drop out of every flow (*contact deleted*); queued messages of those flows are cancelled."""
    cursor.execute(
        "SELECT id FROM participants_participant "
        "WHERE tenant_id = %s AND contact_id = %s AND status = 'active' ORDER BY id FOR NO KEY UPDATE",
        [person.tenant_id, person.contact_id],
    )
    ids = [row[0] for row in cursor.fetchall()]
    if ids:
        leave(
            cursor,
            tenant_id=person.tenant_id,
            participant_ids=ids,
            now=person.now,
            reason=Participant.DropReason.CONTACT_DELETED.value,
        )


_OWN = "t.contact_id = %(contact)s::bigint"
ERASURE = Room(
    (
        Place("participants_suggestion", ("source", "verdict"), {"values": NOTHING}, _OWN),
        Place(
            "participants_participant",
            ("source", "status", "drop_reason"),
            {"event_data": NOTHING, "drop_values": NOTHING, "success_values": NOTHING, "held_reason": EMPTY},
            _OWN,
        ),
        Place(
            "participants_visit",
            ("ended", "how"),
            {"values": NOTHING},
            "(t.enrolled_on, t.participant_id) IN (SELECT p.enrolled_on, p.id FROM participants_participant p "
            "WHERE p.tenant_id = t.tenant_id AND p.contact_id = %(contact)s::bigint)",
        ),
        Place("participants_counterdelta", ("measure",)),
        Place("participants_countertotal", ("measure",)),
        Place("participants_counterday", ("measure",)),
        Place("participants_heldstep", ("cause",)),
    ),
    first=end_participations,
)
