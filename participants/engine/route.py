"""Where a participant goes next: the flow document read as a map. The tree only leads down, so a batch that takes
the steps in document order meets each step once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache

from flows.document import ExitSettings, FlowDocument, StepNode
from flows.models import FlowRevision
from flows.queries import parsed_revision, revision_id


@dataclass(frozen=True, slots=True)
class ExitPlace:
    """*Exit flow* at the end of a branch."""

    exit: ExitSettings


@dataclass(frozen=True, slots=True)
class FinishPlace:
    """Finish."""


Place = StepNode | ExitPlace | FinishPlace
FINISH = FinishPlace()


class Route:
    """The map of one document."""

    def __init__(self, document: FlowDocument) -> None:
        self.document = document
        self.nodes: dict[uuid.UUID, StepNode] = {}
        self.rank: dict[uuid.UUID, int] = {}
        self._after: dict[uuid.UUID, Place] = {}
        self._into: dict[uuid.UUID, Place] = {}
        self.first: Place = self._read(document.steps, FINISH)

    def _read(self, steps: tuple[StepNode, ...], after: Place) -> Place:
        for index, node in enumerate(steps):
            self.nodes[node.id] = node
            self.rank[node.id] = len(self.rank)
            following = steps[index + 1] if index + 1 < len(steps) else after
            self._after[node.id] = following
            for branch in node.branches:
                end = following if branch.exit is None else ExitPlace(branch.exit)
                self._into[branch.id] = self._read(branch.steps, end)
        return steps[0] if steps else after

    def after(self, step_id: uuid.UUID, branch_id: uuid.UUID | None = None) -> Place:
        """Return the place after a step, by a branch of it where one was chosen."""
        return self._after[step_id] if branch_id is None else self._into[branch_id]


@lru_cache(maxsize=256)
def _route(row_id: int) -> Route:
    return Route(parsed_revision(row_id))


def route_of(*, flow_id: int, revision: int) -> Route:
    """Return the map of a revision; revisions never change, so it is kept per process by the revision's row id.

    The tenant's scope must be open; one query.
    """
    return _route(revision_id(flow_id, revision))


def after_removed(*, flow_id: int, step_id: uuid.UUID, route: Route) -> Place:
    """Return where someone goes who stands on a step that the newest revision no longer has: the first step after
    it, by the newest revision that had it, that still exists."""
    had = (
        FlowRevision.objects.filter(flow_id=flow_id, document__icontains=str(step_id))
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    old = route_of(flow_id=flow_id, revision=had) if had else None
    place: Place = old.after(step_id) if old and step_id in old.nodes else FINISH
    while old and isinstance(place, StepNode) and place.id not in route.nodes:
        place = old.after(place.id)
    return route.nodes[place.id] if isinstance(place, StepNode) else place
