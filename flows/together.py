"""Two people at one flow: what a part is called, and whether it is still as an editor saw it.

A panel carries the print of its part. Where the draft moved on, the print says whether this very part did.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from flows.document import FlowDocument
from flows.models import Flow

WORDS = {
    "": "",
    "start": "who enters",
    "finish": "Finish",
    "comments": "the comments",
    "details": "the settings",
    "enrolment": "the settings",
    "messages": "the message settings",
    "problems": "the problems",
    "revisions": "the revisions",
    "success": "the success criteria",
    "trigger": "a trigger",
    "filter": "the filter",
}


def part_words(document: FlowDocument, part: str) -> str:
    """Return what somebody is at: “Wait 2 days”, branch “Chefs”, the settings; empty for the canvas."""
    kind, _, key = part.partition(":")
    found = _found(document, kind, key)
    if found is None:
        return WORDS.get(kind, "")
    return f"“{found['title']}”" if kind == "step" else f"branch “{found['name']}”"


def print_of(flow: Flow, document: FlowDocument, part: str) -> str:
    """Return a short print of what a part's panel edits; another one means that it was changed."""
    kind, _, key = part.partition(":")
    content: Any
    if kind == "details":
        viewers = [
            *flow.user_grants.order_by("pk").values_list("user_id", flat=True),
            "",
            *flow.group_grants.order_by("pk").values_list("group_id", flat=True),
        ]
        content = [flow.name, flow.description, flow.folder_id, flow.owner_id, flow.visibility, viewers]
    elif kind in {"step", "branch"}:
        content = _found(document, kind, key)
    else:
        content = document.model_dump(mode="json", exclude={"steps", "notes"})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _found(document: FlowDocument, kind: str, key: str) -> dict[str, Any] | None:
    """Return a step without its branches' insides, or a branch without its steps."""
    try:
        wanted = uuid.UUID(key)
    except ValueError:
        return None
    if kind == "step":
        node = document.step(wanted)
        return node.model_dump(mode="json", exclude={"branches"}) if node else None
    branches = (branch for node in document.walk() for branch in node.branches if branch.id == wanted)
    branch = next(branches, None)
    return branch.model_dump(mode="json", exclude={"steps"}) if branch and kind == "branch" else None
