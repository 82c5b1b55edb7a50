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
    waits_until: dt.datetime | None = None
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
        self.waiting, self.due_at, self.waits_until, self.held_reason = False, None, None, ""

    def park(
        self, *, due_at: dt.datetime | None, until: dt.datetime | None, waiting: bool, held: str = ""
    ) -> None:
        """Stay on the step until a moment (None: until an event)."""
        self.waiting, self.due_at, self.waits_until, self.held_reason = waiting, due_at, until, held
