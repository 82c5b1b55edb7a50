"""What the settings forms of steps share: title and note, and reading and writing a step's JSON settings.

Every field may be left empty: an unfinished step is always savable, `problems` says what is missing.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from flows.document import StepNode
from flows.searched import CHOOSABLE, MOST
from flows.steps.base import StepKind

EMPTY = "Choose…"


class StepForm(forms.Form):
    """Base: subclasses add fields named as the settings, and override `settings` where that is not enough."""

    title = forms.CharField(label="Title", max_length=120)
    note = forms.CharField(
        label="Internal note",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Only your team sees it.",
    )

    template = "flows/steps/plain.html"

    def __init__(
        self, *, kind: StepKind, node: StepNode, flow_id: int, data: QueryDict | None = None
    ) -> None:
        self.kind, self.node, self.flow_id = kind, node, flow_id
        super().__init__(data, initial={"title": node.title, "note": node.note, **self.initial_of(node)})
        self.prepare()

    def initial_of(self, node: StepNode) -> dict[str, Any]:
        """Return what the step's own fields show; settings that cannot be read show their defaults."""
        try:
            settings = self.kind.settings(node)
        except ValueError:
            settings = self.kind.Settings()
        return {
            name: value
            for name in self.kind.Settings.model_fields
            if (value := getattr(settings, name)) is not None
        }

    def prepare(self) -> None:
        """Fill in choices that come from the tenant."""

    def settings(self) -> dict[str, Any]:
        """Return the settings as JSON, once the form is valid."""
        given = {name: self.cleaned_data.get(name) for name in self.kind.Settings.model_fields}
        typed = self.kind.Settings.model_validate({k: v for k, v in given.items() if v not in (None, "")})
        return typed.model_dump(mode="json")

    @property
    def own_fields(self) -> list[forms.BoundField]:
        """The fields between title and note."""
        return [field for field in self if field.name not in {"title", "note"}]


def number_choices(
    pairs: list[tuple[int, str]], chosen: int | None, gone: str, *, empty: str = EMPTY
) -> list[tuple[str, str]]:
    """Return choices of a select; what was chosen and is gone stays visible under its own words."""
    choices = [("", empty), *((str(number), name) for number, name in pairs)]
    if chosen is not None and str(chosen) not in dict(choices):
        choices.append((str(chosen), gone))
    return choices


def offer(
    form: forms.Form, name: str, kind: str, *, flow_id: int = 0, empty: str = EMPTY, chosen: Any = None
) -> None:
    """Offer things of a kind (flows.searched) in a choice field: the first few, the rest by search.

    `chosen` (by default the form's initial value) stays, under its own words where it is gone. At most three queries.
    """
    thing, field = CHOOSABLE[kind], form.fields[name]
    chosen = form.initial.get(name) if chosen is None else chosen
    found = thing.first(flow_id, most=MOST + 1)
    pairs = [(str(number), label) for number, label in found[:MOST]]
    # What was typed is shown again with its name; what was kept may stay even where it is gone.
    typed = str(form.data.get(form.add_prefix(name)) or "") if form.is_bound else ""
    for wanted in dict.fromkeys(str(one) for one in (chosen, typed) if one not in (None, "")):
        if wanted in dict(pairs):
            continue
        number = int(wanted) if wanted.isdecimal() and len(wanted) < 19 else 0
        label = thing.label_of(flow_id, number) if number else None
        if label is not None or wanted == str(chosen):
            pairs.append((wanted, label or thing.gone_text(number)))
    choose(form, name, [("", empty), *pairs])
    field.widget.attrs["data-searched"] = kind
    if len(found) > MOST:
        field.widget.attrs["data-more"] = "true"


def to_number(text: str) -> int | None:
    """Return the id of a chosen option, or None."""
    return int(text) if text else None


def choose(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    """Give a choice field of a form its choices."""
    form.fields[name].choices = choices  # type: ignore[attr-defined]  # only choice fields are named here
