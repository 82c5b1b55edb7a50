"""The settings panel of *Create follow-up*."""

from __future__ import annotations

from django import forms

from crm.criteria.choices import list_items
from crm.models import ListItem
from flows.steps.forms import StepForm, choose, make_beside, number_choices, offer, to_number
from flows.steps.people import fallback_field, prepare_users, user_field, who_field

UNITS: dict[str, tuple[str, str]] = {
    "hours": ("hour", "hours"),
    "days": ("day", "days"),
    "weeks": ("week", "weeks"),
    "workdays": ("workday", "workdays"),
}


# How much later at most, and how many minutes a meeting takes.
MOST_AFTER = 1_000
SHORTEST, LONGEST = 5, 8 * 60


class CreateFollowUpForm(StepForm):
    """Task or meeting, when, for whom."""

    what = forms.ChoiceField(
        label="What", choices=[("task", "Task"), ("meeting", "Meeting")], widget=forms.RadioSelect
    )
    subject = forms.CharField(label="Title of the follow-up", required=False, max_length=200)
    when = forms.ChoiceField(
        label="When",
        choices=[("first", "Today, or the first free time for a meeting"), ("after", "Later")],
        widget=forms.RadioSelect,
    )
    amount = forms.IntegerField(label="After", required=False, min_value=0, max_value=MOST_AFTER)
    unit = forms.ChoiceField(label="Unit", choices=[(unit, names[1]) for unit, names in UNITS.items()])
    minutes = forms.IntegerField(label="Minutes", min_value=SHORTEST, max_value=LONGEST)
    who = who_field()
    user = user_field()
    fallback_user = fallback_field()
    type = forms.TypedChoiceField(label="Type", required=False, coerce=to_number, empty_value=None)
    project = forms.TypedChoiceField(label="Project", required=False, coerce=to_number, empty_value=None)
    agenda = forms.CharField(
        label="Agenda", required=False, max_length=4000, widget=forms.Textarea({"rows": 3})
    )
    template = "flows/steps/create_follow_up.html"

    def prepare(self) -> None:
        """Offer members, types and projects."""
        prepare_users(self, user="Choose…", fallback_user="The flow's owner")
        choose(self, "type", follow_up_type_choices(self.initial.get("type"), empty="None"))
        make_beside(self, "type", "follow_up_type")
        offer(self, "project", "project", empty="None")


def follow_up_type_choices(chosen: int | None, *, empty: str) -> list[tuple[str, str]]:
    """Return the types that may be chosen; a retired one only where it is chosen already."""
    items = list_items(ListItem.List.FOLLOW_UP_TYPE)
    pairs = [(int(i.value), i.name) for i in items if not i.retired or i.value == str(chosen)]
    return number_choices(pairs, chosen, "A type that was deleted", empty=empty)
