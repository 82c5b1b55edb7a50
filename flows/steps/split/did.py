"""Split on what the contact did since entering this flow, the triggering event included: clicked, opened, submitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from flows.document import Branch, StepNode
from flows.steps.action_choices import action_of, code_of
from flows.steps.actions import Action, what_they_did
from flows.steps.base import CheckContext, Cohort, Reference, StepContext, kept_moment
from flows.steps.split.base import Basis, Took


class Did(Basis):
    """Base of the three: they differ in the actions that a branch may choose from (`searched`)."""

    asks: str

    def fields(self, split: StepNode, branch: Branch, flow_id: int) -> dict[str, forms.Field]:
        """Boxes to tick; any one of the chosen is enough."""
        return {
            "acts": forms.MultipleChoiceField(
                label=self.asks, required=False, widget=forms.CheckboxSelectMultiple
            )
        }

    def chosen(self, branch: Branch) -> dict[str, Any]:
        """The actions as the values of boxes."""
        return {"acts": [code_of(action) for action in acts_of(branch)]}

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the actions."""
        return {"acts": [action_of(code).model_dump(exclude_defaults=True) for code in given["acts"]]}

    def summary(self, split: StepNode, branch: Branch, names: CheckContext) -> str:
        """Return the actions in words."""
        return " or ".join(action.label(names) for action in acts_of(branch))

    def problems(self, split: StepNode, branch: Branch, names: CheckContext) -> Iterable[str]:
        """Something must be chosen, and must still exist."""
        if not acts_of(branch):
            yield "has nothing chosen"
        yield from (f": {text}" for action in acts_of(branch) if (text := action.problem(names)))

    def takes_all(self, split: StepNode, left: Branch, right: Branch) -> bool:
        """Whether each action of the right is one of the left, or a case of it."""
        mine, theirs = acts_of(left), acts_of(right)
        return bool(theirs) and all(any(one.takes_in(other) for one in mine) for other in theirs)

    def references(self, split: StepNode) -> Iterable[Reference]:
        """Yield the emails, links and forms."""
        for branch in split.branches:
            for action in acts_of(branch):
                yield from action.references()

    def judge(self, node: StepNode, cohort: Cohort, ctx: StepContext) -> dict[int, Took]:
        """One statement reads what the whole cohort did."""
        rules = [
            (position, a.filter)
            for position, branch in enumerate(node.branches[:-1])
            for a in acts_of(branch)
        ]
        did = what_they_did(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            travellers=cohort.travellers,
            since={t.id: t.enrolled_at for t in cohort},
            actions=[rule for _, rule in rules],
            with_trigger=True,
        )
        took = {}
        for participant, done in did.items():
            first = min(done, key=lambda one: (rules[one.position][0], one.at))
            took[participant] = Took(
                rules[first.position][0], {"at": kept_moment(first.at, ctx), "event": first.event_id}
            )
        return took


def acts_of(branch: Branch) -> list[Action]:
    """Return the actions that a branch asks for."""
    return [Action.model_validate(one) for one in branch.settings.get("acts", ())]


class Clicked(Did):
    """See the module."""

    name = "clicked"
    label = "Link clicked"
    searched = {"acts": "click"}
    asks = "Who clicked one of these"


class Opened(Did):
    """See the module."""

    name = "opened"
    label = "Email opened"
    searched = {"acts": "open"}
    asks = "Who opened one of these"


class Submitted(Did):
    """See the module."""

    name = "submitted"
    label = "Form submitted"
    searched = {"acts": "submission"}
    asks = "Who submitted one of these"
