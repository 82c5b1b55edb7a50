"""What is waited for, how long, and what happens when nothing comes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm.criteria.schema import Criteria
from flows import waiting
from flows.document import ExitSettings
from flows.steps.actions import Action
from flows.steps.base import StepSettings
from flows.steps.wait_for_time import MOST


class WaitForActionSettings(StepSettings):
    """Any of the actions, or the criteria. Actions count from arrival, or from entering the flow."""

    actions: tuple[Action, ...] = ()
    criteria: Criteria | None = None
    since: Literal["arrival", "entering"] = "arrival"
    limited: bool = True
    amount: int | None = Field(default=7, ge=0, le=MOST)
    unit: waiting.Unit = "days"
    exits: bool = False
    exit_flow: int | None = None
    exit_selection: int | None = None

    @property
    def exit(self) -> ExitSettings:
        """Return what happens at the time-out's exit."""
        return ExitSettings(flow=self.exit_flow, selection=self.exit_selection)
