"""The flow document: one typed tree that is the draft, the revision, the export file and the rehearsal's input.

A step's settings are plain JSON here, typed by its kind (flows.steps): an unfinished step must always be savable.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from crm.criteria.schema import Criteria

NoteColour = Literal["yellow", "green", "blue", "pink"]


class Part(BaseModel):
    """Base of the document's parts: unknown keys are errors, parts never change in place."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Timeframe(Part):
    """When messages may go: on these weekdays (0 Monday … 6 Sunday), from <= t < to in the flow's timezone.

    `to` before `start` runs over midnight and belongs to the day it began; workdays_only leaves holidays out.
    """

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    start: dt.time = dt.time(8, 0)
    to: dt.time = dt.time(17, 0)
    workdays_only: bool = True


class Sender(Part):
    """Who a message is from: always one address, or the contact's own sales or service contact with a fallback."""

    source: Literal["fixed", "our_contact", "service_contact"] = "fixed"
    name: str = ""
    email: str = ""


class ReplyTo(Part):
    """Where replies go: as From, nowhere, to one address, or to the contact's own people with a fallback."""

    source: Literal["same", "none", "fixed", "our_contact", "service_contact"] = "same"
    name: str = ""
    email: str = ""


class MessageSettings(Part):
    """Common to every message of the flow."""

    subscription_type: int | None = None
    sender: Sender = Sender()
    reply_to: ReplyTo = ReplyTo()
    sms_sender: str = ""
    override_consent: bool = False
    timeframe: Timeframe | None = None
    utm_source: str = ""
    utm_campaign: str = ""


class FlowSettings(Part):
    """What holds for the flow as a whole (its name, folder, owner and visibility live on the Flow row)."""

    timezone: str = "UTC"
    starts_at: dt.datetime | None = None
    enrolment_ends_at: dt.datetime | None = None
    once_only: bool = False
    remove_from_flows: tuple[int, ...] = ()
    exclusions: tuple[int, ...] = ()
    control_share: int = Field(default=0, ge=0, le=99)
    move_to_finish: bool = False
    messages: MessageSettings = MessageSettings()

    @property
    def zone(self) -> ZoneInfo:
        """The flow's timezone."""
        return ZoneInfo(self.timezone)


class Trigger(Part):
    """WHEN someone is suggested: a kind of flows.triggers, its settings, optional criteria."""

    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    kind: str
    settings: dict[str, Any] = Field(default_factory=dict)
    criteria: Criteria | None = None


class SuccessCriterion(Part):
    """One success criterion: a kind of flows.success and its settings (criteria among them for `criteria`)."""

    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    kind: str
    settings: dict[str, Any] = Field(default_factory=dict)
    criteria: Criteria | None = None


class ExitSettings(Part):
    """What happens at an exit, or at Finish: onward flow and selection, after the final status."""

    flow: int | None = None
    selection: int | None = None


class Branch(Part):
    """A way out of a split. `exit` set means that the branch ends in *Exit flow* instead of joining again.

    The last branch of a split is "everyone else": criteria None, never removed, always last.
    """

    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    name: str = ""
    criteria: Criteria | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    steps: tuple[StepNode, ...] = ()
    exit: ExitSettings | None = None


class StepNode(Part):
    """A step of a kind of flows.steps; only splits have branches."""

    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    kind: str
    title: str = ""
    note: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    branches: tuple[Branch, ...] = ()


class Finish(Part):
    """Where participants may be suggested next."""

    success: ExitSettings = ExitSettings()
    no_success: ExitSettings = ExitSettings()


class Note(Part):
    """A sticky note for the team: at a step, with which it moves and goes, or (None) at the start of the flow."""

    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    text: str = Field(default="", max_length=500)
    step: uuid.UUID | None = None
    colour: NoteColour = "yellow"


class FlowDocument(Part):
    """The whole flow."""

    schema_version: Literal[1] = 1
    settings: FlowSettings = FlowSettings()
    triggers: tuple[Trigger, ...] = ()
    filter: Criteria | None = None
    success: tuple[SuccessCriterion, ...] = ()
    steps: tuple[StepNode, ...] = ()
    finish: Finish = Finish()
    notes: tuple[Note, ...] = ()

    def walk(self) -> Iterator[StepNode]:
        """Yield every step, top to bottom, branches left to right."""
        return _walk(self.steps)

    def step(self, step_id: uuid.UUID) -> StepNode | None:
        """Return the step with this id, or None."""
        return next((node for node in self.walk() if node.id == step_id), None)


def _walk(steps: tuple[StepNode, ...]) -> Iterator[StepNode]:
    for node in steps:
        yield node
        for branch in node.branches:
            yield from _walk(branch.steps)


Branch.model_rebuild()
