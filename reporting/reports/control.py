"""The control group in a report: how far those in the flow are ahead of those held out, and what may be chance."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from participants.control import ControlGroup, control_group

# Two-sided 95 % of a normal distribution.
Z = 1.96


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison with the interval of the lift, in percentage points; None where there is nothing to compare."""

    group: ControlGroup
    least: float | None
    most: float | None

    @property
    def since(self) -> str:
        """The moment of the first one held out, as the list of participants reads it in its address."""
        first = self.group.since
        return first.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if first else ""

    @property
    def distance(self) -> float:
        """The lift without its sign, in percentage points."""
        return abs(self.group.lift or 0)

    @property
    def may_be_chance(self) -> bool:
        """Say whether a difference as large would also come about if the flow did nothing, once in twenty times."""
        return self.least is None or self.most is None or self.least <= 0 <= self.most


def compared(flow_id: int) -> Compared | None:
    """Return the comparison of a flow since its first contact held out; None where nobody was ever held out."""
    group = control_group(flow_id)
    if not group.held_out:
        return None
    if group.lift is None:
        return Compared(group, None, None)
    return Compared(group, *interval(group))


def interval(group: ControlGroup) -> tuple[float, float]:
    """Return the 95 % interval of the difference between the two shares, in percentage points.

    One success and one failure are added to each side (Agresti and Caffo, 2000): a side where everybody or nobody
    succeeded has no certainty of its own.
    """
    held_out = (group.held_out_success + 1) / (group.held_out + 2)
    enrolled = (group.enrolled_success + 1) / (group.enrolled + 2)
    variance = held_out * (1 - held_out) / (group.held_out + 2)
    variance += enrolled * (1 - enrolled) / (group.enrolled + 2)
    middle, margin = enrolled - held_out, Z * math.sqrt(variance)
    return 100 * max(middle - margin, -1), 100 * min(middle + margin, 1)
