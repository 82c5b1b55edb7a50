"""Fetching a message's pixel. Those that wait in one process at the same time share one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from core import clock
from core.combining import Combiner
from delivery.operations.tracking import Act, message_seen, messages_seen, record_open, record_opens
from delivery.tokens import MessageRef


def fetch_pixel(ref: MessageRef, *, machine: bool) -> None:
    """Record that a message was opened; raise NoSuchMessage. Outside any scope; afterwards it is on disk."""
    if _together(ref.tenant_id, (ref, machine)):
        return
    with message_seen(ref) as message:
        record_open(message=message, now=clock.now() + message.ahead, machine=machine)


def _open_all(opens: Sequence[tuple[MessageRef, bool]]) -> list[bool | None]:
    """Record the first open of each message that nobody else holds; None for those that are to go alone."""
    of_message = {ref.message_id: (ref, machine) for ref, machine in reversed(opens)}
    with messages_seen([ref for ref, _ in of_message.values()]) as found:
        acts = [
            Act(message, clock.now() + message.ahead, of_message[number][1])
            for number, message in found.items()
        ]
        record_opens(acts)
    # Of several for one message the first was recorded.
    done = set(found)
    results: list[bool | None] = []
    for ref, _ in opens:
        results.append(True if ref.message_id in done else None)
        done.discard(ref.message_id)
    return results


_together: Combiner[tuple[MessageRef, bool], bool] = Combiner(_open_all)
