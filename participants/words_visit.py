"""What a visit keeps of its holds and waits, in words: why and until when. Pure: nothing is looked up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from flows.document import StepNode
from flows.steps.base import CheckContext
from flows.steps.wait_for_action.settings import WaitForActionSettings
from participants.engine.outcomes import HELD
from participants.models import Visit
from participants.words import Names, moment_words

Seen = Mapping[str, Any]
NOBODY = Names()
# Holds for a fault, not for a rule: what was wrong, and when it is tried again.
_FAULTS = frozenset({f"{HELD}step", f"{HELD}retry"})


def holds_of(seen: Seen) -> dict[str, Seen]:
    """Return the holds that a visit keeps, the earliest first."""
    found = [
        (key, value) for key, value in seen.items() if key.startswith(HELD) and isinstance(value, Mapping)
    ]
    return dict(sorted(found, key=lambda pair: str(pair[1].get("at"))))


def told_of(
    visit: Visit, node: StepNode | None, context: CheckContext | None, names: Names = NOBODY
) -> Sequence[str]:
    """Return what a visit keeps of its holds, of its wait and of whom it handed the contact to, a sentence each."""
    seen = visit.values or {}
    lines = [_hold(key, hold) for key, hold in holds_of(seen).items()]
    more = [_wait(visit, seen), _ended(seen, node, context), _did(seen, node), _handed(seen, node, names)]
    return [*lines, *filter(None, more)]


def _did(seen: Seen, node: StepNode | None) -> str:
    """Say when the contact did what took a branch of a split."""
    if node is None or node.kind != "split" or "event" not in seen or not seen.get("at"):
        return ""
    return f"The contact did it on {moment_words(str(seen['at']))}."


def _handed(seen: Seen, node: StepNode | None, names: Names) -> str:
    """Say whom *Distribute to owner* gave the contact to."""
    if node is None or node.kind != "distribute_to_owner" or not seen.get("user"):
        return ""
    return f"Handed to {names.of('user', seen['user']).strip('“”')}."


def _hold(key: str, hold: Seen) -> str:
    begun, until = moment_words(str(hold["at"])), moment_words(str(hold["until"]))
    if key in _FAULTS:
        return f"Did not work on {begun}, to be tried again on {until}: {str(hold['reason']).rstrip('.')}."
    return f"Held from {begun} until {until}: {hold['reason']}."


def _wait(visit: Visit, seen: Seen) -> str:
    """Say until when a wait lasts or lasted, and from which date that was reckoned."""
    kept = str(seen.get("until") or seen.get("waited_until") or "")
    if not kept or seen.get("ended_by") or visit.ended == Visit.Ended.LEFT:
        return ""
    day = dt.date.fromisoformat(str(seen["date"])) if seen.get("date") else None
    reckoned = f" (the date was {day.day} {day:%B %Y})" if day else ""
    until = dt.datetime.fromisoformat(kept)
    if until <= visit.came_at:
        return f"{moment_words(kept)} was past already{reckoned}."
    if visit.went_at is None:
        return f"Waits until {moment_words(kept)}{reckoned}."
    verb = "Waited" if visit.went_at >= until else "Was to wait"
    return f"{verb} until {moment_words(kept)}{reckoned}."


def _ended(seen: Seen, node: StepNode | None, context: CheckContext | None) -> str:
    """Say what ended a wait for action."""
    by = seen.get("ended_by")
    if by not in {"action", "criteria"}:
        return ""
    when = f" on {moment_words(str(seen['at']))}" if seen.get("at") else ""
    if by == "criteria":
        return f"The contact came to match{when}."
    action = _action(seen.get("action"), node, context)
    return f"{action}{when}." if action else f"The contact did what was waited for{when}."


def _action(number: Any, node: StepNode | None, context: CheckContext | None) -> str:
    """Return the action that ended a wait, by the revision that the visit ran with."""
    if not isinstance(number, int) or node is None or context is None or node.kind != "wait_for_action":
        return ""
    actions = WaitForActionSettings.model_validate(node.settings).actions
    label = actions[number].label(context) if number < len(actions) else ""
    return label[:1].upper() + label[1:]
