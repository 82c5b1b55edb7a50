"""Verbs for tests of drafts: insert a step, read titles; and who stands where, as a test says."""

from __future__ import annotations

import uuid

from flows.editing import steps
from flows.editing.tree import Slot
from flows.models import Flow
from flows.operations import drafts
from tests.fixtures.people import Person
from tests.flows.conftest import NOW

OCCUPIED: dict[uuid.UUID, int] = {}


def occupancy(flow_id: int) -> dict[uuid.UUID, int]:
    """Stand in for participants: the steps that a test says are occupied."""
    return OCCUPIED


def add(flow: Flow, alice: Person, node: object, index: int = 0, *, version: int | None = None) -> Flow:
    """Insert a step into the draft."""
    return drafts.apply(
        flow_id=flow.pk,
        base_version=flow.draft_version if version is None else version,
        change=lambda d: steps.insert(d, slot=Slot(None, index), node=node),  # type: ignore[arg-type]
        label="added a step",
        actor=alice.user,
        now=NOW,
    )


def titles(flow: Flow) -> list[str]:
    return [node.title for node in drafts.draft_of(flow).walk()]
