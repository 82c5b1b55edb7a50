"""The numbers on the canvas: at every step entered = here now + went on + left, and the share of each branch."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count

from delivery.models import Message
from participants.counters import step_counts
from participants.figures import reason_label
from participants.words import ending_words

_LEFT, _BRANCH = "left:", "branch:"


@dataclass(frozen=True, slots=True)
class Leaving:
    """How many left a step in one way. `reason` narrows the list of participants; empty where nothing does."""

    label: str
    number: int
    reason: str = ""
    status: str = ""

    @property
    def query(self) -> str:
        """What narrows the list of participants to them, beside the step."""
        return f"reason={self.reason}" if self.reason else f"status={self.status}"


@dataclass(frozen=True, slots=True)
class StepNumbers:
    """One step's numbers."""

    entered: int = 0
    here: int = 0
    went_on: int = 0
    left: int = 0
    skipped: int = 0
    leaving: Sequence[Leaving] = ()
    branches: Mapping[str, int] | None = None

    def share(self, branch_id: uuid.UUID) -> float:
        """Return the branch's share of all who went on or left here, in percent."""
        total = self.went_on + self.left
        return 100 * (self.branches or {}).get(str(branch_id), 0) / total if total else 0.0


def numbers_from(counts: Mapping[str, int]) -> StepNumbers:
    """Return the numbers of one step from its measures."""
    leaving = [(key.removeprefix(_LEFT), n) for key, n in counts.items() if key.startswith(_LEFT) and n]
    return StepNumbers(
        entered=counts.get("entered", 0),
        here=counts.get("here", 0),
        went_on=counts.get("went_on", 0),
        left=counts.get("left", 0),
        skipped=counts.get("skipped", 0),
        leaving=[_leaving(how, n) for how, n in sorted(leaving, key=lambda pair: (-pair[1], pair[0]))],
        branches={key.removeprefix(_BRANCH): n for key, n in counts.items() if key.startswith(_BRANCH)},
    )


def _leaving(how: str, number: int) -> Leaving:
    if how in {"success", "finished", "cancelled"}:
        return Leaving(ending_words("left", how), number, status=how)
    return Leaving(reason_label(how), number, reason=how)


def step_numbers(flow_id: int) -> dict[uuid.UUID, StepNumbers]:
    """Return the numbers of every step that anybody ever came to; two queries, whatever the flow's size."""
    return {step_id: numbers_from(counts) for step_id, counts in step_counts(flow_id).items()}


def message_numbers(*, flow_id: int, step_id: uuid.UUID) -> list[tuple[str, str, int]]:
    """Return how the messages of one step fare: (status, in words, number), in the order of the statuses."""
    rows = Message.objects.filter(flow_id=flow_id, step_id=step_id).order_by().values_list("status")
    found = dict(rows.annotate(Count("id")))
    return [(value, str(label), found[value]) for value, label in Message.Status.choices if value in found]


SENT = frozenset({"sent", "delivered", "opened", "clicked", "soft_bounced", "bounced", "complained"})
_KEPT = 15


def sent_numbers(*, tenant_id: int, flow_id: int) -> dict[uuid.UUID, dict[str, int]]:
    """Return how many messages of each step were sent, opened and clicked; a click is an opening too.

    One aggregate along `message_of_step`, kept for _KEPT seconds: every open canvas asks, they all get the same.
    """
    key = f"sent:{tenant_id}:{flow_id}"
    kept: dict[uuid.UUID, dict[str, int]] | None = cache.get(key)
    if kept is not None:
        return kept
    rows = Message.objects.filter(flow_id=flow_id, step_id__isnull=False, status__in=SENT).order_by()
    found: dict[uuid.UUID, dict[str, int]] = {}
    for step_id, status, number in rows.values_list("step_id", "status").annotate(number=Count("id")):
        if step_id is None:
            continue
        step = found.setdefault(step_id, {"sent": 0, "opened": 0, "clicked": 0})
        step["sent"] += number
        step["opened"] += number if status in {"opened", "clicked"} else 0
        step["clicked"] += number if status == "clicked" else 0
    cache.set(key, found, _KEPT)
    return found
