"""The figures of a flow as pages show them, made of the counters' measures. No queries of its own but the counters'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from participants.counters import flow_counts
from participants.models import Participant

_DROPPED = "dropped:"


@dataclass(frozen=True, slots=True)
class DropOuts:
    """How many dropped out for one reason, and their share of all who were enrolled, in percent."""

    reason: str
    label: str
    number: int
    share: float


@dataclass(frozen=True, slots=True)
class FlowFigures:
    """Entries into one flow by what became of them; `enrolled` counts entries, not people."""

    enrolled: int = 0
    finished: int = 0
    success: int = 0
    cancelled: int = 0
    success_met: int = 0
    dropped_by: tuple[DropOuts, ...] = ()

    @property
    def dropped(self) -> int:
        """Those who dropped out, by any reason."""
        return sum(reason.number for reason in self.dropped_by)

    @property
    def completed(self) -> int:
        """Those who came to Finish, with success or without."""
        return self.finished + self.success

    @property
    def active(self) -> int:
        """Those who are in it now."""
        return self.enrolled - self.completed - self.dropped - self.cancelled

    @property
    def success_rate(self) -> float | None:
        """Finished with success of all enrolled, in percent; None while nobody was enrolled."""
        return 100 * self.success / self.enrolled if self.enrolled else None


def figures_from(counts: Mapping[str, int]) -> FlowFigures:
    """Return the figures of one flow from its measures; drop-outs largest first."""
    enrolled = counts.get("enrolled", 0)
    dropped = [
        (name.removeprefix(_DROPPED), n) for name, n in counts.items() if name.startswith(_DROPPED) and n
    ]
    return FlowFigures(
        enrolled=enrolled,
        finished=counts.get("finished", 0),
        success=counts.get("success", 0),
        cancelled=counts.get("cancelled", 0),
        success_met=counts.get("success_met", 0),
        dropped_by=tuple(
            DropOuts(reason, reason_label(reason), number, 100 * number / enrolled if enrolled else 0)
            for reason, number in sorted(dropped, key=lambda pair: (-pair[1], pair[0]))
        ),
    )


def reason_label(reason: str) -> str:
    """Return a drop-out reason as people read it."""
    known = Participant.DropReason.values
    return (
        str(Participant.DropReason(reason).label)
        if reason in known
        else reason.replace("_", " ").capitalize()
    )


def flow_figures(flow_ids: Sequence[int]) -> dict[int, FlowFigures]:
    """Return the figures of several flows; two queries, however many flows and participants."""
    counts = flow_counts(list(flow_ids))
    return {flow_id: figures_from(counts.get(flow_id, {})) for flow_id in flow_ids}
