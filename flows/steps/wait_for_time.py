"""Wait for time: a span after arrival, until a date and time, or until a date field of the contact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Literal

from django import forms
from pydantic import Field

from flows import waiting
from flows.document import StepNode
from flows.event_filter import EventFilter, changes_field
from flows.lasting import Lasting, span
from flows.steps.base import (
    GO_ON,
    Advance,
    CheckContext,
    Cohort,
    Outcome,
    Outcomes,
    Problem,
    Reference,
    StepContext,
    StepKind,
    StepSettings,
    Traveller,
    WaitUntil,
    kept_moment,
)
from flows.steps.date_fields import date_field_choices, date_field_label, date_field_reference, read_dates
from flows.steps.forms import EMPTY, StepForm, choose

# How many units a wait may last, and how many days around a date.
MOST, MOST_DAYS = 10_000, 3_650
UNITS: dict[str, tuple[str, str]] = {
    "minutes": ("minute", "minutes"),
    "hours": ("hour", "hours"),
    "days": ("day", "days"),
    "weeks": ("week", "weeks"),
    "workdays": ("workday", "workdays"),
}


class WaitForTimeSettings(StepSettings):
    """How long. `moment` is a clock time in the flow's timezone, so it has no offset of its own."""

    mode: Literal["span", "moment", "field"] = "span"
    amount: int | None = Field(default=None, ge=0, le=MOST)
    unit: waiting.Unit = "days"
    moment: dt.datetime | None = None
    field: str = ""
    offset_days: int = Field(default=0, ge=-MOST_DAYS, le=MOST_DAYS)
    at_time: dt.time = dt.time(9, 0)


class WaitForTimeForm(StepForm):
    """The settings panel: three ways of waiting, each with its own fields."""

    mode = forms.ChoiceField(
        label="Wait",
        widget=forms.RadioSelect,
        choices=[
            ("span", "For a time after the previous step"),
            ("moment", "Until a date and time"),
            ("field", "Until a date of the contact or its company"),
        ],
    )
    amount = forms.IntegerField(label="How many", required=False, min_value=0, max_value=MOST)
    unit = forms.ChoiceField(label="Unit", choices=[(unit, names[1]) for unit, names in UNITS.items()])
    moment = forms.DateTimeField(
        label="Date and time",
        required=False,
        help_text="In the flow's timezone.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    field = forms.ChoiceField(label="Date field", required=False)
    days = forms.IntegerField(label="Days", min_value=0, max_value=MOST_DAYS, required=False)
    direction = forms.ChoiceField(label="Before or after", choices=[("before", "before"), ("after", "after")])
    at_time = forms.TimeField(
        label="At", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    template = "flows/steps/wait_for_time.html"

    def initial_of(self, node: StepNode) -> dict[str, Any]:
        """Show the offset as a number of days and a direction."""
        initial = super().initial_of(node)
        offset = initial.pop("offset_days", 0)
        return {**initial, "days": abs(offset), "direction": "after" if offset > 0 else "before"}

    def prepare(self) -> None:
        """Offer the tenant's date fields."""
        choices = [("", EMPTY), *date_field_choices()]
        chosen = self.initial.get("field")
        if chosen and chosen not in dict(choices):
            choices.append((chosen, "A field that was deleted"))
        choose(self, "field", choices)

    def clean_moment(self) -> dt.datetime | None:
        """Keep the clock time as the flow's clocks show it: it has no offset."""
        moment: dt.datetime | None = self.cleaned_data["moment"]
        return moment.replace(tzinfo=None) if moment else None

    def settings(self) -> dict[str, Any]:
        """Put days and direction together again."""
        days = self.cleaned_data.get("days") or 0
        before = self.cleaned_data["direction"] == "before"
        self.cleaned_data["offset_days"] = -days if before else days
        return super().settings()


class WaitForTime(StepKind):
    """See the module."""

    name = "wait_for_time"
    label = "Wait for time"
    description = "Wait some days, until a date, or until a date of the contact."
    icon = "hourglass"
    family = "time"
    Settings = WaitForTimeSettings
    Form = WaitForTimeForm
    is_wait = True

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Say what is waited for."""
        settings: WaitForTimeSettings = self.settings(node)
        if settings.mode == "span":
            return f"For {span_text(settings)}" if settings.amount is not None else "No time set"
        if settings.mode == "moment":
            return f"Until {settings.moment:%-d %B %Y, %H:%M}" if settings.moment else "No date set"
        return (
            field_text(settings, date_field_label(settings.field))
            if settings.field
            else "No date field chosen"
        )

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """The chosen way of waiting must be filled in."""
        settings: WaitForTimeSettings = self.settings(node)
        if settings.mode == "span" and settings.amount is None:
            return [Problem("Say how long to wait", place="amount")]
        if settings.mode == "moment" and settings.moment is None:
            return [Problem("Choose a date and time", place="moment")]
        if settings.mode == "field" and not settings.field:
            return [Problem("Choose a date field", place="field")]
        if settings.mode == "field" and date_field_label(settings.field) is None:
            return [Problem("The date field was deleted: choose another", place="field")]
        return []

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the custom date field."""
        settings: WaitForTimeSettings = self.settings(node)
        reference = date_field_reference(settings.field) if settings.mode == "field" else None
        if reference is not None:
            yield reference

    def lasts(self, node: StepNode) -> Lasting | None:
        """A span is known; a date may be past already, or far away."""
        settings: WaitForTimeSettings = self.settings(node)
        if settings.mode != "span":
            return Lasting(latest=None)
        return span(settings.amount or 0, settings.unit)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Say for everyone when the wait ends; what is past already is no wait."""
        settings: WaitForTimeSettings = self.settings(cohort.node)
        if settings.mode == "field":
            return self._until_field(settings, cohort, ctx)
        wait = _waits(ctx)
        return Outcomes(by_id={t.id: wait(self._end(settings, t, ctx), None) for t in cohort})

    def resume(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """What is over is over; a date field may have changed meanwhile, then the wait is re-timed. Without an end
        of its own (an edit reckons it anew) the end follows from the arrival."""
        settings: WaitForTimeSettings = self.settings(cohort.node)
        if settings.mode == "field":
            return self._until_field(settings, cohort, ctx)
        wait = _waits(ctx)
        return Outcomes(
            by_id={t.id: wait(t.waits_until or self._end(settings, t, ctx), None) for t in cohort}
        )

    def listens_to(self, node: StepNode) -> tuple[EventFilter, ...]:
        """A changed date moves the wait's end."""
        settings: WaitForTimeSettings = self.settings(node)
        if settings.mode != "field" or not settings.field:
            return ()
        field = settings.field
        return (EventFilter("contact.updated", accepts=lambda data: changes_field(data, field)),)

    def _end(
        self, settings: WaitForTimeSettings, traveller: Traveller, ctx: StepContext
    ) -> dt.datetime | None:
        zone = ctx.settings.zone
        if settings.mode == "moment":
            return waiting.until(settings.moment, zone) if settings.moment else None
        return waiting.after(traveller.came_at, settings.amount or 0, settings.unit, zone, ctx.holidays)

    def _until_field(self, settings: WaitForTimeSettings, cohort: Cohort, ctx: StepContext) -> Outcomes:
        dates = read_dates(ctx.cursor, ctx.tenant_id, settings.field, cohort.contact_ids, ctx.settings.zone)
        outcomes, wait = Outcomes(default=Advance(how="no_date")), _waits(ctx)
        for traveller in cohort:
            day = dates.get(traveller.contact_id)
            if day is not None:
                end = waiting.around(day, settings.offset_days, settings.at_time, ctx.settings.zone)
                outcomes.by_id[traveller.id] = wait(end, day)
        return outcomes


def _waits(ctx: StepContext) -> Callable[[dt.datetime | None, dt.date | None], Outcome]:
    """Return what makes the outcome of a wait from its end and the date that it was reckoned from: one object for each
    different one, with what the visit keeps."""

    @cache
    def wait(end: dt.datetime | None, day: dt.date | None) -> Outcome:
        if end is None or (end <= ctx.now and day is None):
            return GO_ON
        seen = {"until": kept_moment(end, ctx), **({"date": day.isoformat()} if day else {})}
        return WaitUntil(end, values=seen) if end > ctx.now else Advance(values=seen)

    return wait


def span_text(settings: WaitForTimeSettings) -> str:
    """Return `2 days`."""
    return span_of(settings.amount, settings.unit)


def span_of(amount: int | None, unit: str) -> str:
    """Return `2 days`."""
    one, many = UNITS[unit]
    return f"{amount} {one if amount == 1 else many}"


def field_text(settings: WaitForTimeSettings, label: str | None) -> str:
    """Return `3 days before Renewal, 09:00`."""
    days = abs(settings.offset_days)
    when = f"Until {label}" if not days else f"{days} {'day' if days == 1 else 'days'}"
    if days:
        when += f" {'before' if settings.offset_days < 0 else 'after'} {label}"
    return f"{when}, {settings.at_time:%H:%M}"
