"""Messages that were given up: trying them again once what was wrong has been mended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from accounts.audit import write_audit
from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.models import Message

# Given up for good or after many tries. What may have arrived (unknown) is never sent again.
GIVEN_UP = (Message.Status.FAILED, Message.Status.SOFT_BOUNCED)
# How many one press takes up again.
MOST = 5_000
_AGAIN = """
WITH chosen AS MATERIALIZED (
    SELECT enrolled_on, id FROM delivery_message
    WHERE tenant_id = %(tenant)s AND status = ANY(%(given_up)s::text[]) AND NOT is_test AND to_address <> ''
      AND withdrawn = ''
      AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
    ORDER BY id DESC LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED)
UPDATE delivery_message m SET status = 'queued', reason = '', error = '', attempts = 0, send_at = %(now)s
FROM chosen WHERE m.tenant_id = %(tenant)s AND m.enrolled_on = chosen.enrolled_on AND m.id = chosen.id
"""


def undelivered() -> QuerySet[Message]:
    """Return the messages that can be tried again. Neither what may have arrived (unknown) is among them, nor what was
    withdrawn: its participant has left the flow or reached its goal, or its step is gone."""
    return Message.objects.filter(status__in=GIVEN_UP, is_test=False, withdrawn="").exclude(to_address="")


@transaction.atomic
def try_again(*, ids: Sequence[int] | None, actor: User, now: dt.datetime) -> int:
    """Queue the given messages again (None: all, the newest MOST); return how many.

    Consent, blocks, the flow's state and everything else is checked again when they go. Twice at once queues once; who
    leaves the flow at the same moment gets nothing, whichever of the two comes first.
    """
    with raw_cursor() as cursor:
        cursor.execute(
            _AGAIN,
            {
                "tenant": require_tenant_id(),
                "given_up": [str(status) for status in GIVEN_UP],
                "ids": None if ids is None else list(ids),
                "most": MOST,
                "now": now,
            },
        )
        number = cursor.rowcount
    if number:
        write_audit(
            actor=actor, action="messages.tried_again", object_kind="messages", object_id=0,
            object_name=f"{number} messages", payload={"number": number},
        )  # fmt: skip
    return number
