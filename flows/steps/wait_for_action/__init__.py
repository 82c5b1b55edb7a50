"""Wait for action: until a link is clicked, an email opened, a form submitted, an event comes from outside, or
criteria come true; at most for a time. Whichever *happened* first counts, not whichever was processed first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from crm.criteria.among import those_who
from crm.criteria.describe import describe
from crm.criteria.schema import Criteria
from crm.criteria.sql import compile_criteria
from crm.criteria.validate import problems as criteria_problems
from flows import waiting
from flows.criteria_uses import criteria_uses
from flows.document import StepNode
from flows.event_filter import EventFilter
from flows.lasting import Lasting, at_most
from flows.steps.actions import Done, what_they_did
from flows.steps.base import (
    Advance,
    CheckContext,
    Cohort,
    Exit,
    Outcome,
    Outcomes,
    Problem,
    Reference,
    StepContext,
    StepKind,
    Traveller,
    WaitFor,
    kept_moment,
)
from flows.steps.exits import exit_problems
from flows.steps.wait_for_action.form import WaitForActionForm
from flows.steps.wait_for_action.settings import WaitForActionSettings
from flows.steps.wait_for_time import span_of


class WaitForAction(StepKind):
    """See the module."""

    name = "wait_for_action"
    label = "Wait for action"
    description = "Wait until the contact does something, at most for a time."
    icon = "cursor-click"
    family = "time"
    Settings = WaitForActionSettings
    Form = WaitForActionForm
    is_wait = True

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Say what is waited for, and how long."""
        settings: WaitForActionSettings = self.settings(node)
        parts = [action.label(names) for action in settings.actions]
        if settings.criteria is not None and not settings.criteria.is_empty:
            parts.append(describe(settings.criteria))
        if not parts:
            return "No action chosen"
        most = f"at most {span_of(settings.amount, settings.unit)}" if settings.limited else "for ever"
        text = f"Until {' or '.join(parts)}, {most}"
        return f"{text}, then exit" if settings.limited and settings.exits else text

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """Something must be waited for, and must exist."""
        settings: WaitForActionSettings = self.settings(node)
        found = [Problem(text, "acts") for action in settings.actions if (text := action.problem(ctx))]
        has_criteria = settings.criteria is not None and not settings.criteria.is_empty
        if not settings.actions and not has_criteria:
            found.append(Problem("Choose what to wait for", place="acts"))
        if settings.criteria is not None and has_criteria:
            found.extend(Problem(text, place="criteria") for text in criteria_problems(settings.criteria))
        if settings.limited and settings.amount is None:
            found.append(Problem("Say how long to wait at most", place="amount"))
        return [*found, *(exit_problems(settings.exit, ctx) if settings.exits else ())]

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield what the actions, the criteria and the exit name."""
        settings: WaitForActionSettings = self.settings(node)
        for action in settings.actions:
            yield from action.references()
        if settings.criteria is not None:
            yield from criteria_uses(settings.criteria)
        if settings.exits and settings.exit_flow is not None:
            yield Reference("flow", settings.exit_flow)
        if settings.exits and settings.exit_selection is not None:
            yield Reference("selection", settings.exit_selection)

    def listens_to(self, node: StepNode) -> tuple[EventFilter, ...]:
        """The actions; what may make the criteria true is intake's to know (`waits_for`)."""
        settings: WaitForActionSettings = self.settings(node)
        return tuple(action.filter for action in settings.actions)

    def waits_for(self, node: StepNode) -> Criteria | None:
        """Return the criteria, if there are any."""
        settings: WaitForActionSettings = self.settings(node)
        criteria = settings.criteria
        return None if criteria is None or criteria.is_empty else criteria

    def lasts(self, node: StepNode) -> Lasting | None:
        """The first action may come at once; the maximum is the latest."""
        settings: WaitForActionSettings = self.settings(node)
        if not settings.limited or settings.amount is None:
            return Lasting(latest=None)
        return at_most(settings.amount, settings.unit)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Let those go on who did it already (where that counts) or match already; the others wait."""
        return self._judge(cohort, ctx)

    def resume(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Judge anew: somebody did something, criteria came true, or the time is up."""
        return self._judge(cohort, ctx)

    def _judge(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        settings: WaitForActionSettings = self.settings(cohort.node)
        entering = settings.since == "entering"
        since = {t.id: t.enrolled_at if entering else t.came_at for t in cohort}
        did = what_they_did(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            travellers=cohort.travellers,
            since=since,
            actions=[action.filter for action in settings.actions],
            with_trigger=False,
        )
        hold = self._matching(settings.criteria, cohort.travellers, ctx)
        outcomes = Outcomes()
        for traveller in cohort:
            end = self._end(settings, traveller, ctx)
            first = next(iter(did.get(traveller.id, ())), None)
            outcomes.by_id[traveller.id] = self._outcome(
                settings, first, self._came_true(traveller, hold, ctx), end, ctx
            )
        return outcomes

    @staticmethod
    def _came_true(traveller: Traveller, hold: set[int], ctx: StepContext) -> dt.datetime | None:
        """When the criteria came true: as intake noted it, else on arrival or just now."""
        if traveller.heard_at is not None:
            return traveller.heard_at
        return min(ctx.now, traveller.waits_until or ctx.now) if traveller.contact_id in hold else None

    @staticmethod
    def _outcome(
        settings: WaitForActionSettings,
        acted: Done | None,
        came_true: dt.datetime | None,
        end: dt.datetime | None,
        ctx: StepContext,
    ) -> Outcome:
        """Say how the wait goes on; the visit keeps what ended it and when, or until when it lasts."""
        did_at = acted.at if acted is not None else None
        happened = [
            moment for moment in (did_at, came_true) if moment is not None and (end is None or moment <= end)
        ]
        if happened:
            told = {"at": kept_moment(min(happened), ctx)}
            if acted is not None and did_at == min(happened):
                return Advance(values={"ended_by": "action", "action": acted.position, **told})
            return Advance(values={"ended_by": "criteria", **told})
        if end is None:
            return WaitFor(None)
        until = {"waited_until": kept_moment(end, ctx)}
        if ctx.now < end:
            return WaitFor(end, values=until)
        if settings.exits:
            return Exit("no_reply", values=until, exit=settings.exit)
        return Advance(how="timed_out", values=until)

    @staticmethod
    def _end(settings: WaitForActionSettings, traveller: Traveller, ctx: StepContext) -> dt.datetime | None:
        """Return the end that this one has, reckoned once on arrival."""
        if not settings.limited or settings.amount is None:
            return None
        if traveller.waits_until is not None:
            return traveller.waits_until
        zone = ctx.settings.zone
        return waiting.after(traveller.came_at, settings.amount, settings.unit, zone, ctx.holidays)

    @staticmethod
    def _matching(criteria: Criteria | None, travellers: Sequence[Traveller], ctx: StepContext) -> set[int]:
        """Return the contacts for whom the criteria hold now; one statement."""
        if criteria is None or criteria.is_empty:
            return set()
        compiled = compile_criteria(criteria, now=ctx.now, zone=ctx.settings.zone)
        sql: Any = those_who(compiled.sql)
        ctx.cursor.execute(sql, [[t.contact_id for t in travellers], ctx.tenant_id, *compiled.params])
        return {row[0] for row in ctx.cursor}
