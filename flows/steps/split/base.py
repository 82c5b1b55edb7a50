"""What a split may be based on. A basis says what a branch asks for, in words, and who takes which branch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from django import forms
from django.http import QueryDict

from flows.document import Branch, StepNode
from flows.steps.base import CheckContext, Cohort, Reference, StepContext

# Under this key a visit keeps the values that the criteria of all branches looked at, by crm.criteria.seen.line_key.
LOOKED_AT = "looked_at"


@dataclass(frozen=True, slots=True)
class Took:
    """The branch that a participant takes, by its position, and the values that were seen."""

    position: int
    seen: Mapping[str, Any] | None = None


class Asking(Protocol):
    """What a panel draws of a branch that asks in lines: a template, and what is kept of them."""

    @property
    def template(self) -> str: ...

    def settings(self) -> dict[str, Any]: ...


class Basis:
    """Base. One instance each is listed in flows.steps.split.table, in the order of the panel's menu."""

    name: ClassVar[str]
    label: ClassVar[str]
    # Whether a branch is described by criteria (crm's editor) instead of fields of its own.
    by_criteria: ClassVar[bool] = False
    # The fields of a branch whose choices are searched: name and kind of flows.searched.
    searched: ClassVar[Mapping[str, str]] = {}
    # Whether the split as a whole names a form.
    asks_form: ClassVar[bool] = False

    def fields(self, split: StepNode, branch: Branch, flow_id: int) -> dict[str, forms.Field]:
        """Return the fields of a branch's panel, with their initial values."""
        return {}

    def asking(self, split: StepNode, branch: Branch, data: QueryDict | None) -> Asking | None:
        """Return the lines of a branch's panel, for those that ask in lines and not in fields."""
        return None

    def chosen(self, branch: Branch) -> Mapping[str, Any]:
        """Return what is chosen in the searched fields, as their values."""
        return branch.settings

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return a branch's settings from the cleaned fields."""
        return {}

    def summary(self, split: StepNode, branch: Branch, names: CheckContext) -> str:
        """Return what the branch asks for, in words; empty where nothing is chosen."""
        return ""

    def problems(self, split: StepNode, branch: Branch, names: CheckContext) -> Iterable[str]:
        """Yield what is wrong with a branch; never asked of everyone else."""
        return ()

    def takes_all(self, split: StepNode, left: Branch, right: Branch) -> bool:
        """Say whether the left branch surely takes everyone whom the right one asks for; unfinished ones never do."""
        return False

    def references(self, split: StepNode) -> Iterable[Reference]:
        """Yield what the branches name."""
        return ()

    def missed(
        self, node: StepNode, contact_ids: Sequence[int], ctx: StepContext
    ) -> dict[int, Mapping[str, Any]]:
        """Return, by contact, the values that kept each out of every branch; asked only of those who leave by it."""
        return {}

    def decide(
        self, node: StepNode, cohort: Cohort, ctx: StepContext
    ) -> tuple[dict[int, Took], dict[int, Mapping[str, Any]]]:
        """Return judge, and by participant the values that all branches looked at (equal ones as one object)."""
        return self.judge(node, cohort, ctx), {}

    def judge(self, node: StepNode, cohort: Cohort, ctx: StepContext) -> dict[int, Took]:
        """Return, by participant, the leftmost branch that holds; who is missing is everyone else. Set-based."""
        raise NotImplementedError
