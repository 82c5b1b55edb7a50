"""Schedule: the members of a selection, at a date, each week or each month."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django import forms
from pydantic import Field

from core.localtime import moment
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.sql import compile_criteria
from flows.document import Trigger
from flows.part_form import PartForm
from flows.steps.base import CheckContext, Problem, Reference, StepSettings
from flows.steps.forms import offer, to_number
from flows.triggers.clocked import Audience, ClockedTrigger
from flows.waiting import until

DAY = dt.timedelta(days=1)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class ScheduleSettings(StepSettings):
    """`moment` is a clock time in the flow's timezone. Day 29 to 31 in a shorter month is its last day."""

    selection: int | None = None
    every: Literal["once", "week", "month"] = "once"
    moment: dt.datetime | None = None
    weekday: int = Field(default=0, ge=0, le=6)
    day: int = Field(default=1, ge=1, le=31)
    at_time: dt.time = dt.time(9, 0)


class ScheduleForm(PartForm):
    """The settings panel."""

    selection = forms.TypedChoiceField(label="Members of", required=False, coerce=to_number, empty_value=None)
    mode = forms.ChoiceField(
        label="When",
        widget=forms.RadioSelect,
        choices=[("once", "Once"), ("week", "Every week"), ("month", "Every month")],
    )
    moment = forms.DateTimeField(
        label="Date and time",
        required=False,
        help_text="In the flow's timezone.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    weekday = forms.TypedChoiceField(label="On", coerce=int, choices=list(enumerate(WEEKDAYS)))
    day = forms.IntegerField(
        label="On day",
        min_value=1,
        max_value=31,
        required=False,
        help_text="In a shorter month its last day.",
    )
    at_time = forms.TimeField(
        label="At", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    template = "flows/panel/schedule.html"

    def initial_of(self, part: Any) -> dict[str, Any]:
        """The choice that shows and hides is called mode, as in other panels."""
        initial = super().initial_of(part)
        return {**initial, "mode": initial.pop("every")}

    def prepare(self) -> None:
        """Offer the selections of every kind."""
        offer(self, "selection", "any_selection")

    def clean_moment(self) -> dt.datetime | None:
        """Keep the clock time as the flow's clocks show it: it has no offset."""
        given: dt.datetime | None = self.cleaned_data["moment"]
        return given.replace(tzinfo=None) if given else None

    def settings(self) -> dict[str, Any]:
        """Call the choice by its name again."""
        self.cleaned_data["every"] = self.cleaned_data["mode"]
        return super().settings()


class Schedule(ClockedTrigger):
    """See the module."""

    name = "schedule"
    label = "Schedule"
    description = "The members of a selection, at a date, each week or each month."
    icon = "calendar-check"
    Settings = ScheduleSettings
    Form = ScheduleForm

    def what(self, trigger: Trigger, names: CheckContext) -> str:
        """Return `“Customers”, every Monday, 09:00`."""
        settings: ScheduleSettings = self.settings(trigger)
        name = names.name("selection", settings.selection)
        members = f"“{name}”" if name else "No selection chosen"
        if settings.every == "once":
            when = f"{settings.moment:%-d %B %Y, %H:%M}" if settings.moment else "no date set"
        elif settings.every == "week":
            when = f"every {WEEKDAYS[settings.weekday]}, {settings.at_time:%H:%M}"
        else:
            when = f"every month on day {settings.day}, {settings.at_time:%H:%M}"
        return f"{members}, {when}"

    def problems(self, trigger: Trigger, ctx: CheckContext) -> list[Problem]:
        """A selection must be chosen and exist; a single date must be given."""
        settings: ScheduleSettings = self.settings(trigger)
        found = super().problems(trigger, ctx)
        if settings.every == "once" and settings.moment is None:
            found.insert(0, Problem("Choose a date and time", place="moment"))
        if settings.selection is None:
            found.insert(0, Problem("Choose a selection", place="selection"))
        elif ctx.name("selection", settings.selection) is None:
            found.insert(0, Problem("The selection was deleted: choose another", place="selection"))
        return found

    def references(self, trigger: Trigger) -> Iterable[Reference]:
        """Yield the selection, and what the criteria name."""
        settings: ScheduleSettings = self.settings(trigger)
        if settings.selection is not None:
            yield Reference("selection", settings.selection)
        yield from super().references(trigger)

    def next_strike(self, trigger: Trigger, after: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
        """The single moment, or the next of its days."""
        settings: ScheduleSettings = self.settings(trigger)
        if settings.every == "once":
            at = until(settings.moment, zone) if settings.moment else None
            return at if at is not None and at > after else None
        today = after.astimezone(zone).date()
        days = (today + number * DAY for number in range(63))
        strikes = (moment(day, settings.at_time, zone) for day in days if self._is_its_day(settings, day))
        return next((strike for strike in strikes if strike > after), None)

    @staticmethod
    def _is_its_day(settings: ScheduleSettings, day: dt.date) -> bool:
        if settings.every == "week":
            return day.weekday() == settings.weekday
        return day.day == min(settings.day, calendar.monthrange(day.year, day.month)[1])

    def audience(
        self, trigger: Trigger, struck: dt.datetime, *, now: dt.datetime, zone: ZoneInfo
    ) -> Audience | None:
        """The members as they are now."""
        settings: ScheduleSettings = self.settings(trigger)
        if settings.selection is None:
            return None
        line = Line(field="contact.selections", operator="one_of", values=(settings.selection,))
        compiled = compile_criteria(Criteria(groups=(Group(lines=(line,)),)), now=now, zone=zone)
        data = {"kind": "schedule", "selection": settings.selection}
        return Audience(compiled.sql, compiled.params, struck.astimezone(zone).date(), data)
