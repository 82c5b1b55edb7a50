"""Forms of follow-ups, working hours and days away. Times are read in a zone that the page names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from accounts.forms import timezone_choices
from accounts.models import Membership
from core.localtime import moment
from crm.diary import WEEKDAYS, Hours
from crm.models import FollowUp, ListItem, Project
from crm.operations.follow_ups import FollowUpValues

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
NOBODY = "None"


def _number(text: str) -> int | None:
    return int(text) if text else None


class FollowUpForm(forms.Form):
    """A task or a meeting; start and length count for a meeting only."""

    kind = forms.ChoiceField(label="What", choices=FollowUp.Kind.choices, widget=forms.RadioSelect)
    title = forms.CharField(max_length=200)
    day = forms.DateField(widget=_DATE)
    start = forms.TimeField(label="Starts", required=False, widget=_TIME)
    minutes = forms.IntegerField(label="Minutes", required=False, min_value=5, max_value=24 * 60)
    assignee = forms.TypedChoiceField(label="Assigned to", coerce=int)
    type = forms.TypedChoiceField(required=False, coerce=_number, empty_value=None)
    project = forms.TypedChoiceField(required=False, coerce=_number, empty_value=None)
    agenda = forms.CharField(required=False, max_length=4000, widget=forms.Textarea({"rows": 4}))

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        zone: ZoneInfo,
        today: dt.date,
        people: Sequence[Membership],
        user_id: int,
        follow_up: FollowUp | None = None,
    ) -> None:
        self.zone = zone
        initial: dict[str, Any] = (
            _initial_of(follow_up, zone)
            if follow_up
            else {"kind": "task", "day": today, "start": dt.time(9), "minutes": 30, "assignee": user_id}
        )
        super().__init__(data, initial=initial)
        names = [(str(one.user_id), str(one.user)) for one in people]
        if follow_up and str(follow_up.assignee_id) not in dict(names):
            names.append((str(follow_up.assignee_id), str(follow_up.assignee)))
        self._choices("assignee", names)
        self._choices("type", [("", NOBODY), *_types(initial.get("type"))])
        projects = Project.objects.order_by("name").values_list("id", "name")[:500]
        self._choices("project", [("", NOBODY), *((str(pk), name) for pk, name in projects)])

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A meeting needs a start and a length."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("kind") == FollowUp.Kind.MEETING:
            if given.get("start") is None and "start" not in self.errors:
                self.add_error("start", "When does it start?")
            if given.get("minutes") is None and "minutes" not in self.errors:
                self.add_error("minutes", "How many minutes?")
        return given

    def values(self) -> FollowUpValues:
        """Return what the operations take, once the form is valid."""
        given = self.cleaned_data
        meeting = given["kind"] == FollowUp.Kind.MEETING
        starts = moment(given["day"], given["start"], self.zone) if meeting else None
        return FollowUpValues(
            kind=given["kind"],
            title=given["title"],
            assignee_id=given["assignee"],
            day=None if meeting else given["day"],
            starts_at=starts,
            ends_at=starts + dt.timedelta(minutes=given["minutes"]) if starts else None,
            type_id=given["type"],
            project_id=given["project"],
            agenda=given["agenda"],
        )


def _initial_of(follow_up: FollowUp, zone: ZoneInfo) -> dict[str, Any]:
    initial: dict[str, Any] = {
        "kind": follow_up.kind,
        "title": follow_up.title,
        "day": follow_up.day,
        "assignee": follow_up.assignee_id,
        "type": follow_up.type_id,
        "project": follow_up.project_id,
        "agenda": follow_up.agenda,
    }
    if follow_up.starts_at and follow_up.ends_at:
        local = follow_up.starts_at.astimezone(zone)
        length = follow_up.ends_at - follow_up.starts_at
        initial |= {"day": local.date(), "start": local.time(), "minutes": int(length.total_seconds() // 60)}
    return initial


def _types(chosen: int | None) -> list[tuple[str, str]]:
    items = ListItem.objects.filter(list=ListItem.List.FOLLOW_UP_TYPE).order_by("rank", "name")
    return [(str(item.pk), item.name) for item in items if not item.retired or item.pk == chosen]


class HoursForm(forms.Form):
    """Working hours by weekday; a day without times is a day off. Each form of its own says whether it may be off."""

    timezone = forms.ChoiceField(required=False)
    use_default = forms.BooleanField(label="I work the company's hours", required=False)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        hours: Hours,
        timezone: str,
        default: bool | None,
        default_zone: str,
    ) -> None:
        initial: dict[str, Any] = {"timezone": timezone, "use_default": bool(default)}
        for day, span in hours.items():
            initial |= {f"from_{day}": span[0], f"to_{day}": span[1]}
        super().__init__(data, initial=initial)
        if default is None:
            del self.fields["use_default"]
        zones = [("", f"The company's ({default_zone.replace('_', ' ')})"), *timezone_choices()]
        self.fields["timezone"].choices = zones  # type: ignore[attr-defined]
        for day, name in enumerate(WEEKDAYS):
            self.fields[f"from_{day}"] = forms.TimeField(label=f"{name} from", required=False, widget=_TIME)
            self.fields[f"to_{day}"] = forms.TimeField(label=f"{name} to", required=False, widget=_TIME)

    def rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Return the days with their two fields."""
        return [(name, self[f"from_{day}"], self[f"to_{day}"]) for day, name in enumerate(WEEKDAYS)]

    def clean(self) -> dict[str, Any]:
        """Both times or none, and the end after the beginning."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for day, name in enumerate(WEEKDAYS):
            start, end = given.get(f"from_{day}"), given.get(f"to_{day}")
            if (start is None) != (end is None) and not {f"from_{day}", f"to_{day}"} & self.errors.keys():
                self.add_error(f"to_{day}", f"{name}: give both times, or neither.")
            elif start is not None and end is not None and end <= start:
                self.add_error(f"to_{day}", f"{name}: the end is not after the beginning.")
        return given

    def hours(self) -> Hours | None:
        """Return the hours, or None for the company's."""
        given = self.cleaned_data
        if given.get("use_default"):
            return None
        return {
            day: (given[f"from_{day}"], given[f"to_{day}"])
            for day in range(7)
            if given.get(f"from_{day}") is not None
        }


class AwayForm(forms.Form):
    """Days away, the first and the last included."""

    first_day = forms.DateField(label="First day", widget=_DATE)
    last_day = forms.DateField(label="Last day", widget=_DATE)
    note = forms.CharField(required=False, max_length=120)

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = given.get("first_day"), given.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "The last day is before the first.")
        return given
