"""A participant while a batch moves it: what the claim read and what will be written back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.steps.base import Traveller

ACTIVE, FINISHED, SUCCESS, DROPPED, CANCELLED = "active", "finished", "success", "dropped", "cancelled"


@dataclass(slots=True)
class Moving(Traveller):
    """A traveller with its row's state.

    Invariant of the table: an active participant with a step has an open visit of number `visit_number` there.
    `fresh` says that the visit it is on began in this batch and is not in the table yet.
    """

    step_id: uuid.UUID | None = None
    waiting: bool = False
    success_at: dt.datetime | None = None
    status: str = ACTIVE
    due_at: dt.datetime | None = None
    listening: bool = False
    held_reason: str = ""
    drop_reason: str = ""
    drop_values: Mapping[str, Any] | None = None
    ended_at: dt.datetime | None = None
    last_message_id: int | None = None
    fresh: bool = False

    def end(
        self, *, status: str, at: dt.datetime, reason: str = "", values: Mapping[str, Any] | None = None
    ) -> None:
        """Leave the flow with a final status."""
        self.status, self.ended_at = status, at
        self.drop_reason, self.drop_values = reason, values
        self.due_at, self.held_reason = None, ""
        self.stop_waiting()

    def stop_waiting(self) -> None:
        """Forget the wait: the next step begins, or the flow ends."""
        self.waiting, self.waits_until, self.listening, self.heard_at, self.visit_revision = (
            False,
            None,
            False,
            None,
            0,
        )

    def park(self, *, due_at: dt.datetime, until: dt.datetime | None, held: str = "") -> None:
        """Stay on the step, its action still to be done, until a moment."""
        self.stop_waiting()
        self.due_at, self.waits_until, self.held_reason = due_at, until, held

    def wait(self, *, until: dt.datetime | None, revision: int, listening: bool) -> None:
        """Stay in a wait until a moment, or an event; a wait that goes on keeps the revision it arrived with."""
        self.visit_revision = self.visit_revision if self.waiting and self.visit_revision else revision
        self.waiting, self.due_at, self.waits_until, self.held_reason = True, until, until, ""
        self.listening = listening
