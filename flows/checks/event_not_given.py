"""An email or text that names values of the triggering event which no trigger of the flow gives.

A warning: they render as empty. What an outside event carries nobody knows beforehand, so beside such a trigger every
`event.data.…` may be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from content.queries_event import event_paths, event_paths_of_emails
from core.kinds import UnknownKind
from flows.checks.base import Check, FlowProblem
from flows.document import FlowDocument, StepNode
from flows.steps.base import CheckContext
from flows.triggers.table import TRIGGER_KINDS

_EVENT = "event."
SHOWN = 3


class EventNotGiven(Check):
    """See the module."""

    name = "event_not_given"
    label = "A value of an event that no trigger gives"
    description = "A message names `event.…`, and no trigger of the flow brings that value: it stays empty."

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield each step whose words name such a value. At most one query."""
        given = _given(document)
        if given is None:
            return
        emails = {number for node in document.walk() if (number := _email(node)) is not None}
        in_emails = event_paths_of_emails(emails) if emails else {}
        for node in document.walk():
            email = _email(node)
            named = _paths_in(node.settings) | (in_emails.get(email, frozenset()) if email else frozenset())
            missing = sorted(path for path in named if not _is_given(path, given))
            missing = [path for path in missing if not any(one.startswith(f"{path}.") for one in missing)]
            if missing:
                shown = ", ".join(f"{{{{ {path} }}}}" for path in missing[:SHOWN])
                more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
                yield self.at_step(
                    node, f"No trigger of the flow gives {shown}{more}: it stays empty", _place(node, email)
                )


def _email(node: StepNode) -> int | None:
    number = node.settings.get("email") if node.kind == "send_email" else None
    return number if isinstance(number, int) else None


def _place(node: StepNode, email: int | None) -> str:
    if email is not None:
        return "email"
    return next((name for name in ("text", "subject", "body", "url") if name in node.settings), "")


def _given(document: FlowDocument) -> frozenset[str] | None:
    """Return the paths below `event.` that triggers give; None where a trigger is not known to this version."""
    found: set[str] = set()
    for trigger in document.triggers:
        try:
            kind = TRIGGER_KINDS[trigger.kind]
        except UnknownKind:
            return None
        found |= {f"{_EVENT}{path}" for path, _ in kind.brings(trigger)}
        if trigger.kind == "outside_event":
            found.add(f"{_EVENT}data")
    return frozenset(found)


def _is_given(path: str, given: frozenset[str]) -> bool:
    """Whether a trigger gives the value, something inside it, or something around it (an outside event's data)."""
    return any(
        path == one or one.startswith(f"{path}.") or (one == "event.data" and path.startswith(f"{one}."))
        for one in given
    )


def _paths_in(settings: Mapping[str, Any]) -> frozenset[str]:
    """Return the `event.…` that the step's own words name, in whatever setting they stand."""
    return frozenset(
        path for value in settings.values() for text in _texts(value) for path in event_paths(text)
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
