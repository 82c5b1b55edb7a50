"""What steps listen to, for the checks: the actions of waits and of the branches of splits."""

from __future__ import annotations

from collections.abc import Iterator

from flows.document import StepNode
from flows.steps.actions import Action


def actions_of(node: StepNode) -> Iterator[tuple[Action, str]]:
    """Yield each action that a wait or a split names, with the field or the branch that names it.

    Settings that cannot be read name nothing; they are problems of their own.
    """
    if node.kind == "wait_for_action":
        yield from ((action, "acts") for action in _read(node.settings.get("actions")))
    if node.kind == "split" and node.settings.get("based_on") in {"clicked", "opened", "submitted"}:
        for branch in node.branches[:-1]:
            yield from ((action, str(branch.id)) for action in _read(branch.settings.get("acts")))


def _read(given: object) -> Iterator[Action]:
    try:
        yield from [Action.model_validate(one) for one in given or ()]  # type: ignore[attr-defined]
    except (ValueError, TypeError):
        return
