"""What the canvas shows, as plain data for templates/flows/canvas: the designer's, and read-only with counts.

`canvas_of` is the door; whoever shows a flow (View flow, a revision) passes the document and, if wanted, counts by
step id. Knows nothing of who stands where.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from crm.criteria.describe import describe_all
from crm.criteria.schema import Criteria
from flows.canvas_words import exit_text, finish_lines, start_lines, start_title
from flows.checking import check_context
from flows.document import Branch, FlowDocument, StepNode
from flows.editing.tree import subtree
from flows.occupancy import holds_people, occupied
from flows.reached import Reached, reached
from flows.references import part
from flows.steps.base import CheckContext
from flows.steps.table import STEP_KINDS
from flows.trail import Trail
from flows.validation import FlowProblem, is_valid_settings


@dataclass(frozen=True, slots=True)
class Slot:
    """A place between steps: the "+", and the target of moves and pastes."""

    branch: str
    index: int
    label: str


@dataclass(frozen=True, slots=True)
class Problems:
    """What a card says about itself."""

    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Inside:
    """What a split or branch holds: its steps, at every depth, and how many of these need attention."""

    steps: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class NoteCard:
    """A sticky note."""

    id: uuid.UUID
    text: str
    colour: str

    @property
    def part(self) -> str:
        """The panel that opens it."""
        return part("note", self.id)


@dataclass(frozen=True, slots=True)
class BranchCard:
    """A way out of a split."""

    id: uuid.UUID
    name: str
    summary: str
    is_else: bool
    is_first: bool
    exits: bool
    exit_text: str
    places: Sequence[Place]
    last: Slot
    people: int = 0
    # The steps on which those people stand.
    occupied: Sequence[uuid.UUID] = ()
    folded: bool = False
    inside: Inside = Inside()

    @property
    def part(self) -> str:
        """The panel that opens it."""
        return part("branch", self.id)


@dataclass(frozen=True, slots=True)
class StepCard:
    """A step."""

    id: uuid.UUID
    kind: str
    kind_label: str
    icon: str
    family: str
    title: str
    summary: str
    note: str
    problems: Problems
    branches: Sequence[BranchCard]
    count: object = None
    # Who stands here, and whether that keeps the step from being moved or removed.
    people: int = 0
    fixed: bool = False
    # The steps on which somebody stands, itself and in its branches.
    occupied: Sequence[uuid.UUID] = ()
    folded: bool = False
    inside: Inside = Inside()
    notes: Sequence[NoteCard] = ()
    # How long after entering it is reached: "Day 5".
    when: str = ""
    # Open threads of colleagues at it.
    comments: int = 0

    @property
    def part(self) -> str:
        """The panel that opens it."""
        return part("step", self.id)


@dataclass(frozen=True, slots=True)
class Place:
    """A step with the slot above it."""

    slot: Slot
    card: StepCard


@dataclass(frozen=True, slots=True)
class EndCard:
    """Trigger or finish."""

    title: str
    lines: Sequence[str]
    problems: Problems
    count: object = None
    when: str = ""
    comments: int = 0


@dataclass(frozen=True, slots=True)
class Canvas:
    """The whole picture."""

    start: EndCard
    places: Sequence[Place]
    last: Slot
    finish: EndCard
    editable: bool
    linked: bool = False
    # Cards tell of comments, and open them.
    talks: bool = False
    # Splits and branches fold, and notes open.
    in_designer: bool = False
    selected: str = ""
    # The list of the flow's participants, where those who stand on a step can be looked at.
    people_url: str = ""
    trail: Trail | None = None
    # Those at the start; the others are at their steps.
    notes: Sequence[NoteCard] = ()


@dataclass(slots=True)
class _Drawing:
    ctx: CheckContext
    problems: Mapping[str, Problems]
    counts: Mapping[uuid.UUID, object]
    people: Mapping[uuid.UUID, int]
    folded: Collection[uuid.UUID] = ()
    comments: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[uuid.UUID | None, Sequence[NoteCard]] = field(default_factory=dict)
    criteria: dict[int, str] = field(default_factory=dict)
    reached: Reached = field(default_factory=Reached)


def canvas_of(
    document: FlowDocument,
    *,
    editable: bool = False,
    linked: bool = False,
    found: Sequence[FlowProblem] = (),
    counts: Mapping[uuid.UUID, object] | None = None,
    start_count: object = None,
    finish_count: object = None,
    selected: str = "",
    ctx: CheckContext | None = None,
    people: Mapping[uuid.UUID, int] | None = None,
    people_url: str = "",
    trail: Trail | None = None,
    folded: Collection[uuid.UUID] | None = None,
    comments: Mapping[str, int] | None = None,
) -> Canvas:
    """Return the picture of a document; `found` are the problems to show on the cards.

    `editable` draws the "+" and the menus; `linked` makes the cards buttons (`data-open` names their part). `people`
    are those who stand on each step while it is edited, `people_url` lists them; `trail` is one participant's
    way. `folded` names the splits and branches of which only the number of steps is
    shown; given at all, even empty, the picture is the designer's, where things fold and notes open. `comments` are
    the open threads by place (flows.talk); given at all, cards show and open them.
    """
    drawing = _Drawing(
        ctx or check_context(document),
        by_part(found),
        counts or {},
        people or {},
        folded or (),
        comments or {},
        _notes(document),
    )
    drawing.criteria, drawing.reached = _described(document), reached(document)
    places, last = _sequence(document.steps, None, "the flow", drawing)
    return Canvas(
        start=_start(document, drawing, start_count),
        places=places,
        last=last,
        finish=EndCard(
            "Finish",
            finish_lines(document, drawing.ctx),
            _ends(drawing, "finish"),
            finish_count,
            drawing.reached.finish.words if drawing.reached.finish else "",
        ),
        editable=editable,
        linked=linked,
        talks=comments is not None,
        in_designer=folded is not None,
        selected=selected,
        people_url=people_url,
        trail=trail,
        notes=drawing.notes.get(None, ()),
    )


def _start(document: FlowDocument, drawing: _Drawing, count: object) -> EndCard:
    return EndCard(
        start_title(document),
        start_lines(document, drawing.ctx),
        _ends(drawing, "start"),
        count,
        comments=drawing.comments.get("start", 0),
    )


def by_part(found: Sequence[FlowProblem]) -> dict[str, Problems]:
    """Group problems by the part they are at."""
    grouped: dict[str, tuple[list[str], list[str]]] = {}
    for problem in found:
        grouped.setdefault(problem.part, ([], []))[problem.is_warning].append(problem.message)
    return {key: Problems(*lists) for key, lists in grouped.items()}


def _notes(document: FlowDocument) -> dict[uuid.UUID | None, list[NoteCard]]:
    grouped: dict[uuid.UUID | None, list[NoteCard]] = {}
    for note in document.notes:
        grouped.setdefault(note.step, []).append(NoteCard(note.id, note.text, note.colour))
    return grouped


def _ends(drawing: _Drawing, end: str) -> Problems:
    prefixes = ("trigger:", "filter") if end == "start" else ("success:", "finish")
    mine = [problems for key, problems in drawing.problems.items() if key.startswith(prefixes)]
    # The settings have no card of their own: what is wrong there stands where the flow begins.
    own = [p for key, p in drawing.problems.items() if end == "start" and key in {"settings", "messages"}]
    return Problems(
        [*(e for p in mine for e in p.errors), *(f"Settings: {e}" for p in own for e in p.errors)],
        [*(w for p in mine for w in p.warnings), *(f"Settings: {w}" for p in own for w in p.warnings)],
    )


def _sequence(
    steps: Sequence[StepNode], branch: uuid.UUID | None, name: str, drawing: _Drawing
) -> tuple[list[Place], Slot]:
    key = str(branch or "")
    before = f"Add a step at the start of {name}"
    places = []
    for index, node in enumerate(steps):
        places.append(Place(Slot(key, index, before), _card(node, drawing)))
        before = f"Add a step after {node.title}"
    return places, Slot(key, len(steps), before)


def _card(node: StepNode, drawing: _Drawing) -> StepCard:
    kind = STEP_KINDS[node.kind]
    branches = list(_branches(node, drawing))
    summary = kind.summary(node, drawing.ctx) if is_valid_settings(node) else "Settings cannot be read"
    return StepCard(
        id=node.id,
        kind=node.kind,
        kind_label=kind.label,
        icon=kind.icon,
        family=kind.family,
        title=node.title or kind.label,
        summary=summary,
        note=node.note,
        problems=drawing.problems.get(part("step", node.id), Problems()),
        branches=branches,
        count=drawing.counts.get(node.id),
        people=drawing.people.get(node.id, 0),
        fixed=bool(drawing.people) and holds_people(node, drawing.people),
        occupied=occupied(node, drawing.people) if drawing.people else (),
        folded=node.id in drawing.folded,
        inside=Inside(sum(b.inside.steps for b in branches), sum(b.inside.errors for b in branches)),
        notes=drawing.notes.get(node.id, ()),
        when=drawing.reached.words(node.id),
        comments=drawing.comments.get(str(node.id), 0),
    )


def _inside(branch: Branch, drawing: _Drawing) -> Inside:
    found = [inner for top in branch.steps for inner in subtree(top)]
    errors = sum(bool(drawing.problems.get(part("step", node.id), Problems()).errors) for node in found)
    return Inside(len(found), errors)


def _branches(node: StepNode, drawing: _Drawing) -> Iterator[BranchCard]:
    for position, branch in enumerate(node.branches):
        name = branch.name or "Unnamed branch"
        places, last = _sequence(branch.steps, branch.id, f"branch {name}", drawing)
        standing = [one for top in branch.steps for one in occupied(top, drawing.people)]
        yield BranchCard(
            id=branch.id,
            name=name,
            summary=drawing.criteria.get(id(branch), "") or _asked(node, branch, drawing.ctx),
            is_else=position == len(node.branches) - 1,
            is_first=position == 0,
            exits=branch.exit is not None,
            exit_text=exit_text(branch.exit, drawing.ctx),
            places=places,
            last=last,
            people=sum(drawing.people[step] for step in standing),
            occupied=standing,
            folded=branch.id in drawing.folded,
            inside=_inside(branch, drawing),
        )


def _asked(node: StepNode, branch: Branch, ctx: CheckContext) -> str:
    readable = branch is not node.branches[-1] and is_valid_settings(node)
    return STEP_KINDS[node.kind].branch_summary(node, branch, ctx) if readable else ""


def _described(document: FlowDocument) -> dict[int, str]:
    """Describe the criteria of all branches with as many queries as for one."""
    branches: list[tuple[Branch, Criteria]] = [
        (branch, branch.criteria)
        for node in document.walk()
        for branch in node.branches
        if branch.criteria is not None and not branch.criteria.is_empty
    ]
    texts = describe_all([criteria for _, criteria in branches]) if branches else []
    return {id(branch): text for (branch, _), text in zip(branches, texts, strict=True)}
