"""What the settings forms of steps share: title and note, and reading and writing a step's JSON settings.

Every field may be left empty: an unfinished step is always savable, `problems` says what is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.http import QueryDict

from flows.document import StepNode
from flows.making import offers_beside, page_of
from flows.searched import CHOOSABLE, Searched
from flows.steps.base import StepKind

EMPTY = "Choose…"
# So many ticked boxes are read of a field, each of at most so many characters (a code holds a link's address).
MOST_TICKED, MOST_CODE = 500, 4_000


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
    form: forms.Form,
    name: str,
    kind: str,
    *,
    flow_id: int = 0,
    empty: str | None = EMPTY,
    chosen: Any = None,
    gone: str = "",
) -> None:
    """Offer things of a kind (flows.searched) in a choice field: the first few, the rest by search.

    `chosen` (by default the form's initial value) stays, under its own words (or `gone`) where it is gone. `empty` None
    offers no empty choice. At most as many queries as the kind's `first` and `labels` make.
    """
    chosen = form.initial.get(name) if chosen is None else chosen
    typed = str(form.data.get(form.add_prefix(name)) or "") if form.is_bound else ""
    kept = [str(chosen)] if chosen not in (None, "") else []
    pairs, more, lost = _offered(CHOOSABLE[kind], flow_id, kept, [typed] if typed else [], gone)
    choose(form, name, pairs if empty is None else [("", empty), *pairs])
    _mark(form, name, kind, more)
    now = typed if form.is_bound else "".join(kept)
    if page_of(kind) and now.isdecimal() and now not in lost and now in dict(pairs):
        # What is chosen opens from here, where whoever looks might make one.
        form.fields[name].opens = page_of(kind), dict(pairs)[now]  # type: ignore[attr-defined]


def offer_many(
    form: forms.Form, name: str, kind: str, *, flow_id: int = 0, chosen: Iterable[Any] | None = None
) -> None:
    """Offer things of a kind as boxes to tick, as `offer` does; in a long list the ticked ones come first."""
    kept = [str(one) for one in (form.initial.get(name) or () if chosen is None else chosen)]
    data, typed = form.data, []
    if form.is_bound and isinstance(data, QueryDict):
        typed = [one for one in data.getlist(form.add_prefix(name)) if len(one) <= MOST_CODE][:MOST_TICKED]
    pairs, more, _ = _offered(CHOOSABLE[kind], flow_id, kept, typed, "")
    if more:
        ticked = set(typed if form.is_bound else kept)
        pairs.sort(key=lambda pair: pair[0] not in ticked)
    choose(form, name, pairs)
    form.initial[name] = kept or None
    _mark(form, name, kind, more)


def _offered(
    thing: Searched, flow_id: int, kept: list[str], typed: list[str], gone: str
) -> tuple[list[tuple[str, str]], bool, Collection[str]]:
    """Return the choices, whether there are more, and which of them are gone. What was typed is shown again with its
    name; what was kept may stay even where it is gone."""
    found, more = thing.first(flow_id)
    pairs = {str(value): label for value, label in found}
    missing = [one for one in dict.fromkeys([*kept, *typed]) if one not in pairs]
    labels = thing.labels(flow_id, missing) if missing else {}
    lost = thing.gone([one for one in kept if one in missing and one not in labels])
    for one in missing:
        if one in labels or one in lost:
            pairs[one] = labels.get(one) or gone or lost[one]
    return list(pairs.items()), more, lost


def make_beside(form: forms.Form, name: str, kind: str) -> None:
    """Let something be made beside a choice (flows.making): components/field.html draws the buttons."""
    form.fields[name].makes = offers_beside(kind)  # type: ignore[attr-defined]


def _mark(form: forms.Form, name: str, kind: str, more: bool) -> None:
    field = form.fields[name]
    make_beside(form, name, kind)
    field.widget.attrs["data-searched"] = kind
    if more:
        field.widget.attrs["data-more"] = "true"


def to_number(text: str) -> int | None:
    """Return the id of a chosen option, or None."""
    return int(text) if text else None


def choose(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    """Give a choice field of a form its choices."""
    form.fields[name].choices = choices  # type: ignore[attr-defined]  # only choice fields are named here
