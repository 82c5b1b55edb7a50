"""What a step kind is, and what the engine and a kind say to each other.

The engine (participants.engine) hands a kind the *cohort* of participants that passed the guards of one step, and
gets one outcome for each back. A kind writes set-based, reads the clock from the context, never from SQL, and
never touches participants: outcomes are returned, never implied.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from pydantic import BaseModel, ConfigDict, ValidationError

from crm.criteria.schema import Criteria
from flows.document import Branch, ExitSettings, FlowDocument, FlowSettings, StepNode
from flows.event_filter import EventFilter
from flows.lasting import AT_ONCE, Lasting
from flows.steps.reading import read_once

if TYPE_CHECKING:
    from flows.steps.forms import StepForm

# --- outcomes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advance:
    """The step is done: go on, into a branch where the step has branches.

    `how` says how where it was not the plain way (`timed_out`); `values` are kept on the visit ("why").
    """

    branch: uuid.UUID | None = None
    how: str = ""
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing was done, for this reason; goes on at once."""

    reason: str
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """The step waits here until a moment, then the kind's `resume` decides (by default: goes on)."""

    at: dt.datetime
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class WaitFor:
    """The step waits here for an event that the kind listens to, at most until a moment (None: for ever); then the
    kind's `resume` decides."""

    until: dt.datetime | None
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now (timeframe, frequency cap): the guards and `run` come again at that moment.

    `reason` is in words, with the values seen; `key` names the hold among those that a visit keeps (`values`).
    """

    until: dt.datetime
    reason: str
    key: str = "step"
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """Drops out with a reason of the closed list; then selection and onward flow of `exit`.

    `branch` is the exit branch that was taken, where the step has branches.
    """

    reason: str
    values: Mapping[str, Any] | None = None
    exit: ExitSettings | None = None
    branch: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """A passing fault of this participant alone: the whole step again at that moment."""

    at: dt.datetime
    error: str


@dataclass(frozen=True, slots=True)
class Fail:
    """This participant's step failed for good (drop-out reason *step failed*)."""

    error: str


Outcome = Advance | Skip | WaitUntil | WaitFor | Hold | Exit | Retry | Fail
GO_ON = Advance()


class StepBroken(Exception):
    """A cause common to everyone at this step (an email without a version, say): nobody fails, the engine holds the
    cohort with this message as the cause and tries again with backoff."""


@dataclass(slots=True)
class Outcomes:
    """One outcome for each traveller of a cohort: a default, and the exceptions by participant id."""

    default: Outcome = GO_ON
    by_id: dict[int, Outcome] = field(default_factory=dict)
    # Message ids made for participants, for the visit and "last message".
    messages: dict[int, int] = field(default_factory=dict)
    # What was seen of each participant, kept with its visit beside the values of its outcome. Who differs in nothing
    # else stays one group; equal values should be one object, which is written as JSON once.
    seen: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, participant_id: int) -> Outcome:
        """Return the outcome of one participant."""
        return self.by_id.get(participant_id, self.default)


# --- cohort and context -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Traveller:
    """A participant while a batch holds it (its row and its contact's row are locked)."""

    id: int
    enrolled_on: dt.date
    contact_id: int
    company_id: int | None
    enrolled_at: dt.datetime
    visit_number: int
    came_at: dt.datetime
    event_data: dict[str, Any] | None
    attempts: int
    # While it waits: the revision it arrived with, the end of the wait, and when criteria of the wait came true.
    visit_revision: int = 0
    waits_until: dt.datetime | None = None
    heard_at: dt.datetime | None = None

    @property
    def brought_by(self) -> int | None:
        """The event that enrolled this participant."""
        found = (self.event_data or {}).get("event_id")
        return found if isinstance(found, int) else None


@dataclass(slots=True)
class Cohort:
    """The travellers of one batch at one step that passed its guards."""

    node: StepNode
    travellers: Sequence[Traveller]

    def __iter__(self) -> Iterator[Traveller]:
        return iter(self.travellers)

    def __len__(self) -> int:
        return len(self.travellers)

    @property
    def ids(self) -> list[int]:
        """The participants' ids, in order."""
        return [t.id for t in self.travellers]

    @property
    def contact_ids(self) -> list[int]:
        """The contacts' ids, in the same order."""
        return [t.contact_id for t in self.travellers]


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event that a step causes for one contact; the engine writes it (and its inbox row) with the batch."""

    kind: str
    contact_id: int
    participant_id: int
    company_id: int | None = None
    object_id: int | None = None
    object_key: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Later:
    """Work on rows that all batches share (whose turn it is, say), which must not be locked in mid-batch.

    The engine does it at its write-back: once for all items of the same `work`, in the order of the works' names.
    """

    work: Callable[[StepContext, list[Any]], object]
    items: tuple[Any, ...]


@dataclass(slots=True)
class StepContext:
    """What a kind may use while it runs. Table names are unqualified: rehearsal shadows them."""

    tenant_id: int
    flow_id: int
    stream_id: int
    revision: int
    document: FlowDocument
    now: dt.datetime
    holidays: frozenset[dt.date]
    cursor: psycopg.Cursor[Any]
    owner_id: int
    events: list[EventRow] = field(default_factory=list)
    later: list[Later] = field(default_factory=list)

    @property
    def settings(self) -> FlowSettings:
        """The flow's settings."""
        return self.document.settings


def kept_moment(at: dt.datetime, ctx: StepContext) -> str:
    """Return a moment as visits keep it: in the flow's timezone, so that it is read as its clocks showed it."""
    return at.astimezone(ctx.settings.zone).isoformat(timespec="minutes")


# --- kinds --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not right: an error stops the start, a warning does not.

    `place` names the field of the settings, or is empty for the step as a whole.
    """

    message: str
    place: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that a step uses and that must not be deleted: ("selection", 7)."""

    kind: str
    id: int


class StepSettings(BaseModel):
    """Base of settings: every field has a default, so an unfinished step can be saved; `problems` says what is
    missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What `problems` may look at: the document, and names of what exists by kind and id."""

    document: FlowDocument
    names: Mapping[str, Mapping[int, str]]
    licences: frozenset[str]

    def name(self, kind: str, object_id: int | None) -> str | None:
        """Return the name of an object, or None where it does not exist."""
        return self.names.get(kind, {}).get(object_id) if object_id is not None else None

    def not_static(self, selection_id: int | None) -> str:
        """Say why nobody can be put into or taken out of a selection; empty where that can be done."""
        name = self.name("selection", selection_id)
        if (
            name is None
            or "static_selection" not in self.names
            or selection_id in self.names["static_selection"]
        ):
            return ""
        return f"“{name}” is made of criteria or of other selections: choose a static one"


class StepKind:
    """Base of a step kind. One instance per kind is listed in flows.steps.table."""

    name: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    icon: ClassVar[str]
    family: ClassVar[str]  # message | time | split | data | goal: the hue on the canvas
    Settings: ClassVar[type[StepSettings]] = StepSettings
    Form: ClassVar[type[StepForm]]
    channel: ClassVar[str] = ""  # "email" or "sms": the guards of that channel come before run
    is_wait: ClassVar[bool] = False
    has_branches: ClassVar[bool] = False
    licence: ClassVar[str] = ""

    def settings(self, node: StepNode) -> Any:
        """Return the node's settings, typed; raises pydantic.ValidationError for impossible values."""
        return read_once(self.Settings, node.settings)

    def new(self) -> StepNode:
        """Return a new step of this kind as the menu inserts it."""
        return StepNode(kind=self.name, title=self.label)

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return one line for the card."""
        raise NotImplementedError

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """Return what is missing or wrong; empty means ready."""
        raise NotImplementedError

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield what the step uses."""
        return ()

    def lasts(self, node: StepNode) -> Lasting | None:
        """Return how long the step keeps people, where that follows from its settings; None: nobody goes on."""
        return AT_ONCE

    def branch_summary(self, node: StepNode, branch: Branch, names: CheckContext) -> str:
        """Return what a branch asks for, in words, where that is not criteria."""
        return ""

    def adopt(self, old: StepNode, new: StepNode) -> StepNode:
        """Return the step as it is after its settings were changed from `old`; may put its branches right."""
        return new

    def on_failed_guard(self, node: StepNode) -> str:
        """Return `drop` or `skip`: what a failed channel guard does to the participant."""
        return "drop"

    def failed_exit(self, node: StepNode) -> ExitSettings | None:
        """Return where those go whom a failed channel guard drops; by default nowhere."""
        return None

    def saved(self, node: StepNode, *, cursor: psycopg.Cursor[Any], tenant_id: int, now: dt.datetime) -> None:
        """The step is part of a revision from now on: keep what sending reads of it elsewhere. By default nothing."""

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Do the step for the whole cohort, set-based. May raise StepBroken.

        A branch that ends in *Exit flow* is the engine's to walk: whoever goes on from the last step of a branch
        with `Branch.exit` set drops out there (reason `no_branch`, that `exit`). Only an exit branch without
        steps comes back from a split as an Exit of its own, so that its visit says *left*.
        """
        raise NotImplementedError

    def resume(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Decide for those whose wait at this step came due, was hurried, or is woken by an event.

        `cohort.node` is the step as it was when they arrived. The plain way: whoever is through goes on, the others
        wait on.
        """
        outcomes = Outcomes()
        for traveller in cohort:
            if traveller.waits_until is not None and traveller.waits_until > ctx.now:
                outcomes.by_id[traveller.id] = WaitUntil(traveller.waits_until)
        return outcomes

    def listens_to(self, node: StepNode) -> tuple[EventFilter, ...]:
        """Return the events that make `resume` judge an open wait here anew, before it is due."""
        return ()

    def waits_for(self, node: StepNode) -> Criteria | None:
        """Return the criteria whose coming true ends an open wait here; intake judges them on every change."""
        return None


def setting_problems(kind: StepKind, node: StepNode) -> list[Problem]:
    """Return impossible values as problems at their place, for drafts that came by file or API."""
    try:
        kind.settings(node)
    except ValidationError as error:
        return [Problem(e["msg"], place=".".join(str(part) for part in e["loc"])) for e in error.errors()]
    return []


def else_branch(node: StepNode) -> Branch:
    """Return the last branch, "everyone else"."""
    return node.branches[-1]
