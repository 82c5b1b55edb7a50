"""The way out that some steps offer: an onward flow and a selection, checked where the step has them."""

from __future__ import annotations

from flows.document import ExitSettings
from flows.steps.base import CheckContext, Problem


def exit_problems(exit_: ExitSettings, ctx: CheckContext) -> list[Problem]:
    """Return what is wrong with a step's way out, at the fields `exit_flow` and `exit_selection`."""
    found = []
    if exit_.flow is not None and ctx.name("flow", exit_.flow) is None:
        found.append(Problem("The flow to go on to was deleted", place="exit_flow"))
    elif exit_.flow is not None and ctx.name("open_flow", exit_.flow) is None:
        text = f"“{ctx.name('flow', exit_.flow)}” is not running, so nobody goes on to it"
        found.append(Problem(text, place="exit_flow", is_warning=True))
    if exit_.selection is not None and ctx.name("selection", exit_.selection) is None:
        found.append(Problem("The selection to add to was deleted", place="exit_selection"))
    if text := ctx.not_static(exit_.selection):
        found.append(Problem(text, place="exit_selection"))
    return found
