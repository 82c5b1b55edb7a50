"""What a canvas shows of one way through the flow: marks on cards, and which wires were walked.

Plain data for templates/flows/canvas. Who walked, and how that is found out, is not known here.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# State → icon. The states: here now, went on (also skipped), left the flow, was not on the way.
ICONS: Mapping[str, str] = {
    "here": "crosshair",
    "went_on": "check",
    "skipped": "arrow-line-right",
    "left": "sign-out",
    "passed_by": "minus",
    "done": "flag-checkered",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One stay at a card: the how-manieth it was (0: none), how it ended, when, and what there is to say."""

    state: str
    ending: str
    at: dt.datetime | None = None
    order: int = 0
    detail: str = ""
    revision: int = 0

    @property
    def icon(self) -> str:
        """Its icon."""
        return ICONS[self.state]


@dataclass(frozen=True, slots=True)
class Trail:
    """The way: marks by step, slots by (branch or "", index), branches that were taken, joined again or ended in.

    `revision` is the one that is drawn; a mark of another one says so.
    """

    steps: Mapping[uuid.UUID, Sequence[Mark]] = field(default_factory=dict)
    slots: frozenset[tuple[str, int]] = frozenset()
    taken: frozenset[uuid.UUID] = frozenset()
    joined: frozenset[uuid.UUID] = frozenset()
    exited: frozenset[uuid.UUID] = frozenset()
    start: Mark | None = None
    finish: Mark | None = None
    revision: int = 0
