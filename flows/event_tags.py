"""The `event.…` merge tags that a flow's triggers fill, for the panels' menu. Not whether a tag may be used: that is
judged at start."""

from __future__ import annotations

import re
from collections.abc import Iterator

from content.tree import MergeField
from flows.document import FlowDocument, Trigger
from flows.triggers.table import TRIGGER_KINDS

_NAME = re.compile(r"[A-Za-z_]\w*")


def event_tags(document: FlowDocument) -> list[tuple[str, list[MergeField]]]:
    """Return, for each trigger that brings values, its label and their tags; a tag is told once."""
    told: set[str] = set()
    found = []
    for trigger in document.triggers:
        tags = [tag for tag in _tags(trigger) if tag.path not in told]
        told |= {tag.path for tag in tags}
        if tags:
            found.append((f"From the trigger: {TRIGGER_KINDS[trigger.kind].label}", tags))
    return found


def _tags(trigger: Trigger) -> Iterator[MergeField]:
    """Yield the trigger's tags; a path that no tag can name (a dash in it, say) is left out."""
    for path, label in TRIGGER_KINDS[trigger.kind].brings(trigger):
        if all(_NAME.fullmatch(name) for name in path.split(".")):
            yield MergeField(f"event.{path}", label)
