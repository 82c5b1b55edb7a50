"""The part of an editor that says what is done to a contact (content.actions): memberships, interests, fields."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from content.actions import ChangeLine, ContactActions
from content.models import Script
from crm.criteria.choices import MOST_CHOICES, list_items
from crm.forms.change_lines import REDRAWS, ChangeLines
from crm.models import ListItem, Project, Selection

# Field of the form and of ContactActions, what it says, what it offers.
GROUPS = (
    ("add_to_selections", "Add to selections", "selection"),
    ("remove_from_selections", "Remove from selections", "selection"),
    ("add_to_projects", "Add to projects", "project"),
    ("remove_from_projects", "Remove from projects", "project"),
    ("add_interests", "Add interests", "interest"),
    ("remove_interests", "Remove interests", "interest"),
)
Choices = list[tuple[str, str]]


class ActionsForm(forms.Form):
    """Base of forms that hold actions: one group of boxes for each, and lines that set fields."""

    def __init__(
        self, data: QueryDict | None = None, *, actions: ContactActions, initial: dict[str, Any] | None = None
    ) -> None:
        chosen = {name: [str(pk) for pk in getattr(actions, name)] for name, _, _ in GROUPS}
        super().__init__(data, initial={**chosen, **(initial or {})})
        offered = _offered()
        for name, label, source in GROUPS:
            known = offered[source]
            gone = [(pk, "Deleted") for pk in chosen[name] if pk not in dict(known)]
            self.fields[name] = forms.MultipleChoiceField(
                label=label, required=False, choices=[*known, *gone], widget=forms.CheckboxSelectMultiple
            )
        self.fields["script"] = forms.TypedChoiceField(
            label="Run a script",
            required=False,
            coerce=int,
            empty_value=None,
            initial=actions.script,
            choices=choices_of(Script.objects.filter(deleted_at=None).order_by("name"), actions.script),
            help_text="A worker runs it right afterwards. It may read the contact and set fields.",
        )
        self.lines = ChangeLines(data=data, kept=[line.change for line in actions.changes])

    @property
    def is_redraw(self) -> bool:
        """Whether a button asked for the form again: another line, one less, other inputs."""
        return any(name in self.data for name in REDRAWS)

    @property
    def action_fields(self) -> list[forms.BoundField]:
        """The groups of boxes that have something to choose."""
        return [self[name] for name, _, _ in GROUPS if self.fields[name].choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse lines whose values are none."""
        cleaned = super().clean() or {}
        if not self.lines.check():
            raise forms.ValidationError("Some of the fields cannot be set so.")
        unfinished = [change for change in self.lines.changes if not _is_whole(change.values, change.action)]
        if unfinished:
            raise forms.ValidationError("Give each field a value, or take its line away.")
        return cleaned

    def actions(self) -> ContactActions:
        """Return what the valid form says."""
        chosen = {name: tuple(int(pk) for pk in self.cleaned_data[name]) for name, _, _ in GROUPS}
        lines = tuple(ChangeLine(field=c.field, action=c.action, values=c.values) for c in self.lines.changes)
        return ContactActions(changes=lines, script=self.cleaned_data["script"], **chosen)


def choices_of(rows: Any, chosen: int | None, *, first: str = "None") -> Choices:
    """Return what a select offers of rows with names; what was chosen and is gone stays, and says so."""
    known = _named(rows)
    gone = [(str(chosen), "Not offered any more")] if chosen and str(chosen) not in dict(known) else []
    return [("", first), *known, *gone]


def _is_whole(values: tuple[Any, ...], action: str) -> bool:
    needs_none = action in {"clear", "yes", "no", "toggle"}
    return needs_none or bool(values and str(values[0]).strip())


def _offered() -> dict[str, Choices]:
    return {
        "selection": _named(Selection.objects.filter(kind="static").order_by("name")),
        "project": _named(Project.objects.order_by("name")),
        "interest": [(c.value, c.name) for c in list_items(ListItem.List.INTEREST) if not c.retired],
    }


def _named(rows: Any) -> Choices:
    return [(str(pk), name) for pk, name in rows.values_list("pk", "name")[:MOST_CHOICES]]
