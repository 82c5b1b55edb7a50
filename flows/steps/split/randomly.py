"""Split at random by shares: a hash of step and participant, so it is even and the same whenever it is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

from django import forms

from flows.document import Branch, StepNode
from flows.steps.base import CheckContext, Cohort, StepContext
from flows.steps.split.base import Basis, Took

# Shares are whole per cents; the hash is finer so that no share is favoured by rounding.
PARTS = 1_000_000


class Randomly(Basis):
    """See the module."""

    name = "random"
    label = "Random share"

    def fields(self, split: StepNode, branch: Branch, flow_id: int) -> dict[str, forms.Field]:
        """A number of per cent."""
        return {
            "share": forms.IntegerField(
                label="Share (%)",
                min_value=0,
                max_value=100,
                required=False,
                initial=branch.settings.get("share"),
                help_text="Everyone else gets what is left of 100.",
            )
        }

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the share."""
        return {"share": given["share"]}

    def summary(self, split: StepNode, branch: Branch, names: CheckContext) -> str:
        """Return `30 %`."""
        share = branch.settings.get("share")
        return "" if share is None else f"{share} %, at random"

    def problems(self, split: StepNode, branch: Branch, names: CheckContext) -> Iterable[str]:
        """A share must be given, and all together be at most 100."""
        if branch.settings.get("share") is None:
            yield "has no share"
        elif branch is split.branches[-2] and sum(_shares(split)) > 100:
            yield ": the shares are more than 100 % together"

    def judge(self, node: StepNode, cohort: Cohort, ctx: StepContext) -> dict[int, Took]:
        """No statement: the hash decides."""
        limits = [limit * PARTS // 100 for limit in accumulate(_shares(node))]
        ways = [Took(position) for position in range(len(limits))]
        took = {}
        for traveller in cohort:
            drawn = draw(node, traveller.id)
            position = next((n for n, limit in enumerate(limits) if drawn < limit), None)
            if position is not None:
                took[traveller.id] = ways[position]
        return took


def draw(node: StepNode, participant_id: int) -> int:
    """Return a number from 0 to PARTS - 1, always the same for a participant at a step."""
    digest = hashlib.blake2b(f"{node.id}:{participant_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % PARTS


def _shares(node: StepNode) -> list[int]:
    return [int(branch.settings.get("share") or 0) for branch in node.branches[:-1]]
