"""Date in a field: some days before, on or after a date of the contact or its company, once or every year.

Strikes every day at its time in the flow's timezone. It is never about a moment from before the date was filled in.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from pydantic import Field

from core.localtime import moment
from crm.criteria.dates import anniversary_days
from flows.document import Trigger
from flows.part_form import PartForm
from flows.steps.base import CheckContext, Problem, Reference, StepSettings
from flows.steps.date_fields import (
    date_field,
    date_field_choices,
    date_field_label,
    date_field_reference,
    date_sql,
)
from flows.steps.forms import EMPTY, choose
from flows.steps.wait_for_time import MOST_DAYS
from flows.triggers.clocked import Audience, ClockedTrigger

DAY = dt.timedelta(days=1)


class DateInFieldSettings(StepSettings):
    """Days before are negative."""

    field: str = ""
    offset_days: int = Field(default=0, ge=-MOST_DAYS, le=MOST_DAYS)
    at_time: dt.time = dt.time(9, 0)
    yearly: bool = False


class DateInFieldForm(PartForm):
    """The settings panel."""

    field = forms.ChoiceField(label="Date field", required=False)
    days = forms.IntegerField(label="Days", min_value=0, max_value=MOST_DAYS, required=False)
    direction = forms.ChoiceField(
        label="Before or after", choices=[("before", "before the date"), ("after", "after the date")]
    )
    at_time = forms.TimeField(
        label="At",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="In the flow's timezone.",
    )
    yearly = forms.BooleanField(
        label="Every year", required=False, help_text="For birthdays and the like: day and month count."
    )

    def initial_of(self, part: Any) -> dict[str, Any]:
        """Show the offset as a number of days and a direction."""
        initial = super().initial_of(part)
        offset = initial.pop("offset_days", 0)
        return {**initial, "days": abs(offset), "direction": "after" if offset > 0 else "before"}

    def prepare(self) -> None:
        """Offer the tenant's date fields."""
        choices = [("", EMPTY), *date_field_choices()]
        chosen = self.initial.get("field")
        if chosen and chosen not in dict(choices):
            choices.append((chosen, "A field that was deleted"))
        choose(self, "field", choices)

    def settings(self) -> dict[str, Any]:
        """Put days and direction together again."""
        days = self.cleaned_data.get("days") or 0
        self.cleaned_data["offset_days"] = -days if self.cleaned_data["direction"] == "before" else days
        return super().settings()


class DateInField(ClockedTrigger):
    """See the module."""

    name = "date_in_field"
    label = "Date in a field"
    description = "A date of the contact comes near, arrives or has passed: a birthday, a renewal."
    icon = "calendar-dots"
    Settings = DateInFieldSettings
    Form = DateInFieldForm

    def what(self, trigger: Trigger, names: CheckContext) -> str:
        """Return `3 days before Renewal, 09:00`."""
        settings: DateInFieldSettings = self.settings(trigger)
        if not settings.field:
            return "Date in a field"
        days = abs(settings.offset_days)
        side = "before" if settings.offset_days < 0 else "after"
        near = f"{days} {'day' if days == 1 else 'days'} {side} " if days else "On "
        label = date_field_label(settings.field) or "a field that was deleted"
        return f"{near}{label}, {settings.at_time:%H:%M}{', every year' if settings.yearly else ''}"

    def problems(self, trigger: Trigger, ctx: CheckContext) -> list[Problem]:
        """A date field must be chosen and exist."""
        settings: DateInFieldSettings = self.settings(trigger)
        found = super().problems(trigger, ctx)
        if not settings.field:
            return [Problem("Choose a date field", place="field"), *found]
        if date_field_label(settings.field) is None:
            return [Problem("The date field was deleted: choose another", place="field"), *found]
        return found

    def references(self, trigger: Trigger) -> Iterable[Reference]:
        """Yield the custom date field, and what the criteria name."""
        settings: DateInFieldSettings = self.settings(trigger)
        reference = date_field_reference(settings.field) if settings.field else None
        if reference is not None:
            yield reference
        yield from super().references(trigger)

    def next_strike(self, trigger: Trigger, after: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
        """Every day at its time."""
        settings: DateInFieldSettings = self.settings(trigger)
        day = after.astimezone(zone).date()
        today = moment(day, settings.at_time, zone)
        return today if today > after else moment(day + DAY, settings.at_time, zone)

    def audience(
        self, trigger: Trigger, struck: dt.datetime, *, now: dt.datetime, zone: ZoneInfo
    ) -> Audience | None:
        """Whose date is that many days away; not who got the date, or came, after the strike."""
        settings: DateInFieldSettings = self.settings(trigger)
        field = date_field(settings.field)
        if field is None:
            return None
        target = struck.astimezone(zone).date() - settings.offset_days * DAY
        value, params = date_sql(field, zone)
        if settings.yearly:
            days = f"(extract(month FROM {value}) * 100 + extract(day FROM {value}))::int = ANY(%s::int[])"
            where = f"{value} <= %s::date AND {days}"
            found: list[Any] = [*params, target, *params, *params, anniversary_days(target, 0)]
        else:
            where, found = f"{value} = %s::date", [*params, target]
        set_later = json.dumps([{"field": settings.field}])
        where += (
            " AND c.created_at <= %s AND NOT EXISTS (SELECT 1 FROM crm_event e WHERE e.tenant_id = c.tenant_id "
            "AND e.contact_id = c.id AND e.at > %s AND e.kind = 'contact.updated' "
            "AND e.data -> 'changes' @> %s::jsonb)"
        )
        data = {"kind": "date", "field": settings.field, "date": target.isoformat()}
        return Audience(where, [*found, struck, struck, set_later], target, data)
