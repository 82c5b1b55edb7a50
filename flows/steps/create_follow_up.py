"""Create follow-up: a task or a meeting in the diary of our contact, the service contact or one user.

A meeting takes the first free slot of its assignee; finding it, and that no hour is booked twice, is crm.bulk's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from crm.bulk.follow_ups import FollowUpPlan, NewFollowUp, create_follow_ups
from crm.diary import Unit
from crm.events import Origin
from flows.document import StepNode
from flows.steps.base import (
    Advance,
    CheckContext,
    Cohort,
    Outcomes,
    Problem,
    Reference,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.create_follow_up_form import LONGEST, MOST_AFTER, SHORTEST, UNITS, CreateFollowUpForm
from flows.steps.people import Who, chosen_users, user_problems, user_references, who_text


class CreateFollowUpSettings(StepSettings):
    """What is made, when, for whom. `subject` is the follow-up's title; `amount` and `unit` count for `after`."""

    what: Literal["task", "meeting"] = "task"
    subject: str = ""
    type: int | None = None
    project: int | None = None
    when: Literal["first", "after"] = "first"
    amount: int | None = Field(default=None, ge=0, le=MOST_AFTER)
    unit: Unit = "workdays"
    minutes: int = Field(default=30, ge=SHORTEST, le=LONGEST)
    who: Who = "our_contact"
    user: int | None = None
    fallback_user: int | None = None
    agenda: str = ""


class CreateFollowUp(StepKind):
    """See the module."""

    name = "create_follow_up"
    label = "Create follow-up"
    description = "Put a task or a meeting into somebody's diary."
    icon = "calendar-plus"
    family = "data"
    Settings = CreateFollowUpSettings
    Form = CreateFollowUpForm

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Say what, for whom and when."""
        settings: CreateFollowUpSettings = self.settings(node)
        if not settings.subject:
            return "No title yet"
        what = "Task" if settings.what == "task" else f"Meeting, {settings.minutes} min"
        who = who_text(names, who=settings.who, user=settings.user)
        return f"{what} “{settings.subject}” for {who}, {when_words(settings)}"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """Title, a date where it is later, a user; type and project must exist."""
        settings: CreateFollowUpSettings = self.settings(node)
        found = []
        if not settings.subject:
            found.append(Problem("Give the follow-up a title", place="subject"))
        if settings.when == "after" and settings.amount is None:
            found.append(Problem("Say after how long", place="amount"))
        if settings.when == "after" and settings.what == "task" and settings.unit == "hours":
            found.append(Problem("A task has a day: count days, weeks or workdays", place="unit"))
        if settings.type is not None and ctx.name("list_item", settings.type) is None:
            found.append(Problem("The type was deleted: choose another", place="type"))
        if settings.project is not None and ctx.name("project", settings.project) is None:
            found.append(Problem("The project was deleted: choose another", place="project"))
        people = user_problems(ctx, who=settings.who, user=settings.user, fallback=settings.fallback_user)
        return [*found, *people]

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield type, project and users."""
        settings: CreateFollowUpSettings = self.settings(node)
        if settings.type is not None:
            yield Reference("list_item", settings.type)
        if settings.project is not None:
            yield Reference("project", settings.project)
        yield from user_references(who=settings.who, user=settings.user, fallback=settings.fallback_user)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Make one for each; who finds no free time in two years goes on without, and the visit says so."""
        settings: CreateFollowUpSettings = self.settings(cohort.node)
        users = chosen_users(
            ctx, cohort, who=settings.who, user=settings.user, fallback=settings.fallback_user
        )
        plan = FollowUpPlan(
            kind=settings.what,
            title=settings.subject,
            zone=ctx.settings.zone,
            after=(settings.amount or 0) if settings.when == "after" else 0,
            unit=settings.unit,
            minutes=settings.minutes,
            type_id=settings.type,
            project_id=settings.project,
            agenda=settings.agenda,
        )
        ids = create_follow_ups(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            plan=plan,
            rows=[NewFollowUp(t.contact_id, t.company_id, users[t.id], t.id) for t in cohort],
            now=ctx.now,
            origin=Origin.FLOW,
            flow_id=ctx.flow_id,
        )
        return Outcomes(
            by_id={
                traveller.id: Advance(values={"follow_up": number})
                if number is not None
                else Advance(how="no_free_time")
                for traveller, number in zip(cohort, ids, strict=True)
            }
        )


def when_words(settings: CreateFollowUpSettings) -> str:
    """Return `today`, `first free time`, `after 2 workdays`."""
    first = "today" if settings.what == "task" else "first free time"
    if settings.when == "first":
        return first
    one, many = UNITS[settings.unit]
    span = f"{settings.amount or 0} {one if settings.amount == 1 else many}"
    return f"after {span}" if settings.what == "task" else f"first free time after {span}"
