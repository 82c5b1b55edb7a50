"""One participant's path drawn on a document of the flow: which cards and wires, in what order, how each stay ended.

Pure: the story and the document are given. The tree only leads down, so the way is a line: it is laid through the
branches that were taken, and walked as far as the participant came.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from flows.document import Branch, FlowDocument, StepNode
from flows.editing.tree import subtree
from flows.trail import Mark, Trail
from participants.models import Participant
from participants.queries_story import Story, StoryVisit

NOT_THERE = "Was not here when they came by"
FINISHED = (Participant.Status.FINISHED, Participant.Status.SUCCESS)
_END = "end"
Part = tuple[str, object]


@dataclass(frozen=True, slots=True)
class Path:
    """The trail on the canvas, and the visits that have no card there."""

    trail: Trail
    elsewhere: Sequence[StoryVisit]


@dataclass(slots=True)
class _Way:
    """The line through a document, for somebody who took these branches and came to these steps."""

    chosen: dict[uuid.UUID, uuid.UUID | None]
    came: set[uuid.UUID]
    parts: list[Part] = field(default_factory=list)

    def lay(self, steps: Sequence[StepNode], key: str = "") -> None:
        """Add the parts of a sequence, with those of the branches that were taken."""
        for index, node in enumerate(steps):
            self.parts += [("slot", (key, index)), ("step", node.id)]
            branch = self._taken(node)
            if branch is not None:
                self.parts.append(("taken", branch.id))
                self.lay(branch.steps, str(branch.id))
                self.parts.append(("joined" if branch.exit is None else "exited", branch.id))
        self.parts.append(("slot", (key, len(steps))))

    def _taken(self, node: StepNode) -> Branch | None:
        wanted = self.chosen.get(node.id)
        by_visit = [branch for branch in node.branches if branch.id == wanted]
        inside = [branch for branch in node.branches if self.came & _inside(branch)]
        return next(iter(by_visit or inside), None)

    def reached(self, part: Part) -> int:
        """Return the place of a part on the line; -1 where it is not on it."""
        return self.parts.index(part) if part in self.parts else -1


def _inside(branch: Branch) -> set[uuid.UUID]:
    return {node.id for top in branch.steps for node in subtree(top)}


def path_of(story: Story, document: FlowDocument, revision: int) -> Path:
    """Return the path of a participant on the document of a revision: the newest, or any other."""
    person = story.participant
    drawn = {node.id for node in document.walk()}
    visits = [visit for visit in story.visits if visit.step_id in drawn]
    came = {visit.step_id for visit in visits}
    stands = person.step_id if person.status == Participant.Status.ACTIVE else None
    way = _Way({v.step_id: v.branch_id for v in visits}, came | ({stands} if stands in drawn else set()))
    way.lay(document.steps)
    way.parts.append((_END, None))
    walked = way.parts[: _far(way, story) + 1]
    trail = Trail(
        steps=_marks(story, visits, document, walked, stands),
        slots=frozenset(at for kind, at in walked if kind == "slot"),  # type: ignore[misc]
        taken=_of("taken", walked),
        joined=_of("joined", walked),
        exited=_of("exited", walked),
        start=_start(story),
        finish=_finish(story),
        revision=revision,
    )
    return Path(trail=trail, elsewhere=[visit for visit in story.visits if visit.step_id not in drawn])


def _far(way: _Way, story: Story) -> int:
    """Return how far along the line the participant came."""
    last = story.visits[-1] if story.visits else None
    far = max((way.reached(("step", step)) for step in way.came), default=-1)
    if last is None or last.state != "went_on":
        exit_at = next((i for i, (kind, _) in enumerate(way.parts) if kind == "exited" and i > far), -1)
        return exit_at if last is not None and last.how == "no_branch" and exit_at >= 0 else far
    return len(way.parts) - 1 if story.participant.status in FINISHED else far


def _of(kind: str, walked: Sequence[Part]) -> frozenset[uuid.UUID]:
    return frozenset(at for name, at in walked if name == kind and isinstance(at, uuid.UUID))


def _marks(
    story: Story,
    visits: Sequence[StoryVisit],
    document: FlowDocument,
    walked: Sequence[Part],
    stands: uuid.UUID | None,
) -> dict[uuid.UUID, list[Mark]]:
    names = {branch.id: branch.name for node in document.walk() for branch in node.branches}
    marks: dict[uuid.UUID, list[Mark]] = {}
    for visit in visits:
        marks.setdefault(visit.step_id, []).append(_mark(story, visit, names))
    if stands is not None and not story.participant.waiting:
        since = story.participant.step_since
        marks.setdefault(stands, []).append(Mark("here", "Here now, still to be done", since))
    for kind, at in walked:
        if kind == "step" and isinstance(at, uuid.UUID) and at not in marks:
            marks[at] = [Mark("passed_by", NOT_THERE)]
    return marks


def _mark(story: Story, visit: StoryVisit, names: dict[uuid.UUID, str]) -> Mark:
    taken = names.get(visit.branch_id) if visit.branch_id else None
    said = [
        f"took “{taken}”" if taken and visit.state != "left" else "",
        visit.message.status_label.lower() if visit.message else "",
        visit.detail,
    ]
    return Mark(
        state="skipped" if visit.how == "skipped" else visit.state,
        ending=visit.ending,
        at=visit.came_at,
        order=visit.number,
        detail=" · ".join(filter(None, said)),
        revision=visit.revision,
    )


def _start(story: Story) -> Mark:
    person = story.participant
    if person.status == Participant.Status.ACTIVE and person.step_id is None:
        return Mark("here", "Here now, before the first step", person.enrolled_at)
    return Mark("went_on", "Entered", person.enrolled_at, detail=story.came_by)


def _finish(story: Story) -> Mark | None:
    person = story.participant
    if person.status not in FINISHED:
        return None
    # Whoever met a success criterion may have come straight from where they stood.
    jumped = bool(story.visits) and story.visits[-1].state == "left"
    words = str(Participant.Status(person.status).label)
    return Mark("done", words, person.ended_at, detail="came here at once" if jumped else "")
