"""Criteria as widgets: what the editor's templates draw of each line. Reads fields and choices, writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.criteria.choices import Choice, choices_of, names_of, source_of
from crm.criteria.editor import EVER, LAST_DAYS, Path
from crm.criteria.field import GROUPS, Field
from crm.criteria.fields import all_fields
from crm.criteria.money import own_currency
from crm.criteria.operators import (
    OPERATORS,
    PERIODS,
    UNITS,
    WHEN,
    Operator,
    operator_named,
    read_id,
    when_named,
)
from crm.criteria.schema import Criteria, Line, Value
from crm.criteria.validate import MOST_DEPTH, line_problems
from crm.currencies import CURRENCIES


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of a line as a widget; `redraws` says that what is asked beside it depends on it."""

    kind: str
    name: str
    label: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    choices: tuple[Choice, ...] = ()
    chosen: frozenset[str] = frozenset()
    redraws: bool = False

    @property
    def summary(self) -> str:
        """What is chosen, in words."""
        names = [choice.name for choice in self.choices if choice.value in self.chosen]
        return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


@dataclass(slots=True)
class LineView:
    """A line as the template draws it."""

    name: str
    path: str
    field_key: str
    operator: str
    operators: tuple[Operator, ...] = ()
    slots: list[Slot] = field(default_factory=list)
    which: Slot | None = None
    when: Slot | None = None
    when_slots: list[Slot] = field(default_factory=list)
    currency: Slot | None = None
    problem: str = ""
    nested: CriteriaView | None = None
    words: str = ""


@dataclass(slots=True)
class GroupView:
    """A group as the template draws it; `words` say which one it is: `group 2 in line 1 of group 1`."""

    name: str
    path: str
    lines: list[LineView]
    words: str = ""


@dataclass(slots=True)
class CriteriaView:
    """Criteria as the template draws them; `menu` are the fields by group, for every line's select."""

    prefix: str
    path: str
    groups: list[GroupView]
    menu: list[tuple[str, list[Field]]]
    may_nest: bool = True


# What an editor without criteria says, by where it stands: "" where nothing chosen means everyone.
WITHOUT = {
    "": "No criteria: everyone matches.",
    "waits": "No criteria: only what is chosen above ends the wait.",
    "missing": "No criteria yet: nobody is meant.",
}


class Drawer:
    """Turns criteria into views; reads fields once and each list of choices once."""

    def __init__(self, prefix: str, *, show_problems: bool = False) -> None:
        self.prefix = prefix
        self.fields = {one.key: one for one in all_fields()}
        self.menu = [(name, [f for f in self.fields.values() if f.group == name]) for name in GROUPS]
        self.choices: dict[str, tuple[Choice, ...]] = {}
        self.show_problems = show_problems
        self.problems: dict[Path, str] = {}

    def draw(self, criteria: Criteria) -> CriteriaView:
        """Return the view of the whole tree."""
        if self.show_problems:
            self.problems = {problem.path: problem.message for problem in line_problems(criteria)}
        return self._criteria(criteria, (), self.prefix)

    def _criteria(self, criteria: Criteria, path: Path, name: str, inside: str = "") -> CriteriaView:
        groups = []
        for i, group in enumerate(criteria.groups):
            here, group_name, words = (*path, i), f"{name}.g{i}", f"group {i + 1}{inside}"
            lines = [
                self._line(part, (*here, j), f"{group_name}.l{j}", f"line {j + 1} of {words}")
                for j, part in enumerate(group.lines)
            ]
            groups.append(GroupView(group_name, _text(here), lines, words))
        return CriteriaView(self.prefix, _text(path), groups, self.menu, len(path) // 2 < MOST_DEPTH - 1)

    def _line(self, part: Line | Criteria, path: Path, name: str, words: str) -> LineView:
        if isinstance(part, Criteria):
            nested = self._criteria(part, path, name, f" in {words}")
            return LineView(name, _text(path), "", "", nested=nested, words=words)
        view = LineView(
            name, _text(path), part.field, part.operator, problem=self.problems.get(path, ""), words=words
        )
        found = self.fields.get(part.field)
        if found is None:
            view.problem = view.problem or ("This field is gone: choose another." if part.field else "")
            return view
        view.operators = OPERATORS[found.type]
        operator = operator_named(found.type, part.operator) or view.operators[0]
        view.operator = operator.name
        view.slots = self._slots(found, operator, part, name)
        if found.asks_which:
            view.which = self._chooser(found, f"{name}.which", part.which)
        if found.asks_currency:
            view.currency = self._currency(found, part, name)
        if found.asks_days:
            self._period(view, found, part, name)
        return view

    def _slots(self, found: Field, operator: Operator, line: Line, name: str) -> list[Slot]:
        if operator.slots == ("choices",):
            return [self._chooser(found, f"{name}.v0", line.values)]
        return _value_slots(operator, line.values, f"{name}.v", f"{found.label} {operator.label}")

    def _period(self, view: LineView, found: Field, line: Line, name: str) -> None:
        """When the rows are from: a select, and what it takes."""
        operator = when_named(line.when)
        chosen = LAST_DAYS if line.days is not None else operator.name if operator else EVER
        label = f"{found.label}: when"
        view.when = Slot("when", f"{name}.when", label, value=chosen, options=_WHEN)
        if line.days is not None:
            view.when_slots = [Slot("days", f"{name}.days", f"{label}, days", value=str(line.days))]
        elif operator is not None:
            view.when_slots = _value_slots(operator, line.when_values, f"{name}.w", label)

    def _currency(self, found: Field, line: Line, name: str) -> Slot:
        usual = line.currency or own_currency()
        options = tuple((code, code) for code in CURRENCIES)
        if usual not in CURRENCIES:
            options = ((usual, usual), *options)
        return Slot("currency", f"{name}.currency", f"{found.label}: currency", value=usual, options=options)

    def _chooser(self, found: Field, name: str, values: Sequence[Value]) -> Slot:
        """What may be chosen, and what is chosen though it is retired, gone, or beyond the list's end."""
        chosen = frozenset(str(value) for value in values)
        offered = [c for c in self._choices(found) if not c.retired or c.value in chosen]
        missing = chosen - {choice.value for choice in offered}
        if missing:
            source = source_of(found)
            names = names_of({source: [i for value in missing if (i := read_id(value))]}) if source else {}
            known = names.get(source, {})
            offered += [
                Choice(value, known.get(read_id(value) or 0, "A value that is gone"))
                for value in sorted(missing)
            ]
        return Slot("choices", name, found.label, choices=tuple(offered), chosen=chosen)

    def _choices(self, found: Field) -> tuple[Choice, ...]:
        key = f"{found.choices} {found.custom_id or ''}"
        if key not in self.choices:
            self.choices[key] = tuple(choices_of(found))
        return self.choices[key]


def _value_slots(operator: Operator, values: Sequence[Value], name: str, label: str) -> list[Slot]:
    slots: list[Slot] = []
    this = operator.slots[:1] == ("period",) and (str(values[0]) if values else PERIODS[0]) == PERIODS[0]
    for index, kind in enumerate(operator.slots):
        value = str(values[index]) if index < len(values) else _DEFAULTS.get(kind, "")
        options = _OPTIONS.get(kind, ())
        if this and kind == "unit":
            options = tuple((word, word) for word in UNITS)
        if options and value not in {key for key, _ in options}:
            value = options[0][0]
        # "This" quarter is one: there is nothing to count, and the number stays as it was.
        shown = "hidden" if this and kind == "count" else kind
        told = f"{label}{_PARTS.get(kind, '')}"
        slots.append(Slot(shown, f"{name}{index}", told, value, options, redraws=kind == "period"))
    return slots


def _text(path: Path) -> str:
    return ".".join(str(part) for part in path)


_PARTS = {"period": ": this, next or last", "count": ": how many", "unit": ": days, weeks or longer"}
_DEFAULTS = {"count": "1", "days": "0", "times": "1"}
_OPTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "period": tuple((word, word) for word in PERIODS),
    "unit": tuple((word, f"{word}(s)") for word in UNITS),
}
_WHEN: tuple[tuple[str, str], ...] = (
    (EVER, "at any time"),
    (LAST_DAYS, "in the last … days"),
    *((found.name, found.label.removeprefix("is ")) for name in WHEN if (found := when_named(name))),
)
