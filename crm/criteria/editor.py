"""The criteria editor's other half: from posted fields to criteria, one operation at a time, and back to widgets.

Names of posted fields: `<prefix>.g0.l1.field`, `.operator`, `.v0` …, `.which`, `.days`; a nested group's lines go on
the same way (`<prefix>.g0.l1.g0.l0.field`). Pure but for the reading of fields and choices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from crm.criteria.choices import Choice, choices_of, names_of, source_of
from crm.criteria.field import GROUPS, Field
from crm.criteria.fields import all_fields
from crm.criteria.operators import OPERATORS, PERIODS, UNITS, Operator, operator_named, read_days, read_id
from crm.criteria.schema import Criteria, Group, Line, Value
from crm.criteria.validate import MOST_DEPTH, MOST_LINES, line_problems

_PART = re.compile(r"([gl])(\d{1,4})")
Path = tuple[int, ...]


# --- reading ------------------------------------------------------------------------------------------------------


def read_criteria(data: QueryDict, prefix: str = "criteria") -> Criteria:
    """Return the criteria that an editor posted. Never raises: unfinished lines stay as they are."""
    tree: dict[str, Any] = {}
    for name in data:
        if name.startswith(f"{prefix}.") and len(tree) < MOST_LINES * 10:
            _plant(tree, name.removeprefix(f"{prefix}.").split("."), data.getlist(name))
    return _criteria(tree, 0)


def _plant(tree: dict[str, Any], parts: Sequence[str], values: list[str]) -> None:
    for part in parts[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    if not isinstance(tree.get(parts[-1]), dict):
        tree[parts[-1]] = values


def _children(tree: Mapping[str, Any], letter: str) -> list[dict[str, Any]]:
    found = [
        (int(m[2]), sub) for name, sub in tree.items() if (m := _PART.fullmatch(name)) and m[1] == letter
    ]
    return [sub for _, sub in sorted(found, key=lambda pair: pair[0]) if isinstance(sub, dict)]


def _criteria(tree: Mapping[str, Any], depth: int) -> Criteria:
    if depth >= MOST_DEPTH:
        return Criteria()
    groups = [
        Group(lines=tuple(_part(line, depth) for line in _children(group, "l")))
        for group in _children(tree, "g")
    ]
    return Criteria(groups=tuple(group for group in groups if group.lines))


def _part(tree: Mapping[str, Any], depth: int) -> Line | Criteria:
    if _children(tree, "g"):
        return _criteria(tree, depth + 1)
    numbered = sorted((int(name[1:]), values) for name, values in tree.items() if re.fullmatch(r"v\d", name))
    values = tuple(value[:1000] for _, given in numbered for value in given if value != "")
    return Line(
        field=_one(tree, "field"),
        operator=_one(tree, "operator"),
        values=values,
        which=tuple(value[:1000] for value in _all(tree, "which")),
        days=_days(_one(tree, "days").strip()),
    )


def _days(text: str) -> int | str | None:
    return (read_days(text) or text) if text else None


def _all(tree: Mapping[str, Any], name: str) -> list[str]:
    values = tree.get(name)
    return [value for value in values if value] if isinstance(values, list) else []


def _one(tree: Mapping[str, Any], name: str) -> str:
    values = tree.get(name)
    return str(values[0])[:100] if isinstance(values, list) and values else ""


# --- operations ---------------------------------------------------------------------------------------------------


def apply(criteria: Criteria, op: str, path: Path) -> Criteria:
    """Return the criteria after one operation of the editor; one that makes no sense changes nothing."""
    if op not in _OPS:
        return criteria
    try:
        return _tidy(_OPS[op](criteria, path))
    except IndexError:
        return criteria


def _at(criteria: Criteria, path: Path, change: Callable[[Criteria], Criteria]) -> Criteria:
    """Change the criteria that a path of (group, line) pairs leads to."""
    if not path:
        return change(criteria)
    group_index, line_index, *rest = path
    group = criteria.groups[group_index]
    inner = group.lines[line_index]
    if isinstance(inner, Line):
        return criteria
    lines = list(group.lines)
    lines[line_index] = _at(inner, tuple(rest), change)
    return _with_group(criteria, group_index, Group(lines=tuple(lines)))


def _with_group(criteria: Criteria, index: int, group: Group) -> Criteria:
    groups = list(criteria.groups)
    groups[index] = group
    return Criteria(groups=tuple(groups))


def _add_group(criteria: Criteria, path: Path) -> Criteria:
    new = Group(lines=(Line(field="", operator=""),))
    return _at(criteria, path, lambda found: Criteria(groups=(*found.groups, new)))


def _add_line(criteria: Criteria, path: Path) -> Criteria:
    return _append(criteria, path, Line(field="", operator=""))


def _nest(criteria: Criteria, path: Path) -> Criteria:
    empty = Group(lines=(Line(field="", operator=""),))
    return _append(criteria, path, Criteria(groups=(empty, empty)))


def _append(criteria: Criteria, path: Path, part: Line | Criteria) -> Criteria:
    def change(found: Criteria) -> Criteria:
        lines = (*found.groups[path[-1]].lines, part)
        return _with_group(found, path[-1], Group(lines=lines))

    return _at(criteria, path[:-1], change)


def _remove_line(criteria: Criteria, path: Path) -> Criteria:
    group_index, line_index = path[-2:]

    def change(found: Criteria) -> Criteria:
        lines = list(found.groups[group_index].lines)
        del lines[line_index]
        return _with_group(found, group_index, Group(lines=tuple(lines)))

    return _at(criteria, path[:-2], change)


def _remove_group(criteria: Criteria, path: Path) -> Criteria:
    def change(found: Criteria) -> Criteria:
        groups = list(found.groups)
        del groups[path[-1]]
        return Criteria(groups=tuple(groups))

    return _at(criteria, path[:-1], change)


def _tidy(criteria: Criteria) -> Criteria:
    groups = []
    for group in criteria.groups:
        lines = [_tidy(part) if isinstance(part, Criteria) else part for part in group.lines]
        kept = tuple(part for part in lines if not isinstance(part, Criteria) or part.groups)
        if kept:
            groups.append(Group(lines=kept))
    return Criteria(groups=tuple(groups))


_OPS: dict[str, Callable[[Criteria, Path], Criteria]] = {
    "add-group": _add_group,
    "add-line": _add_line,
    "nest": _nest,
    "remove-line": _remove_line,
    "remove-group": _remove_group,
    "refresh": lambda criteria, path: criteria,
}


def read_path(text: str) -> Path:
    """Return a path posted as "0.1.0"; nonsense is the root."""
    return (
        tuple(int(part) for part in text.split("."))
        if re.fullmatch(r"\d{1,4}(\.\d{1,4}){0,11}", text)
        else ()
    )


# --- widgets ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of a line as a widget."""

    kind: str
    name: str
    label: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    choices: tuple[Choice, ...] = ()
    chosen: frozenset[str] = frozenset()

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
    days: Slot | None = None
    problem: str = ""
    nested: CriteriaView | None = None


@dataclass(slots=True)
class GroupView:
    """A group as the template draws it."""

    name: str
    path: str
    lines: list[LineView]


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

    def _criteria(self, criteria: Criteria, path: Path, name: str) -> CriteriaView:
        groups = []
        for i, group in enumerate(criteria.groups):
            here, group_name = (*path, i), f"{name}.g{i}"
            lines = [self._line(part, (*here, j), f"{group_name}.l{j}") for j, part in enumerate(group.lines)]
            groups.append(GroupView(group_name, _text(here), lines))
        return CriteriaView(self.prefix, _text(path), groups, self.menu, len(path) // 2 < MOST_DEPTH - 1)

    def _line(self, part: Line | Criteria, path: Path, name: str) -> LineView:
        if isinstance(part, Criteria):
            return LineView(name, _text(path), "", "", nested=self._criteria(part, path, name))
        view = LineView(name, _text(path), part.field, part.operator, problem=self.problems.get(path, ""))
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
        if found.asks_days:
            days = "" if part.days is None else str(part.days)
            view.days = Slot("days", f"{name}.days", f"{found.label}: in the last days", value=days)
        return view

    def _slots(self, found: Field, operator: Operator, line: Line, name: str) -> list[Slot]:
        if operator.slots == ("choices",):
            return [self._chooser(found, f"{name}.v0", line.values)]
        slots = []
        for index, kind in enumerate(operator.slots):
            value = str(line.values[index]) if index < len(line.values) else _DEFAULTS.get(kind, "")
            options = _OPTIONS.get(kind, ())
            if options and value not in {key for key, _ in options}:
                value = options[0][0]
            label = f"{found.label} {operator.label}"
            slots.append(Slot(kind, f"{name}.v{index}", label, value=value, options=options))
        return slots

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


def _text(path: Path) -> str:
    return ".".join(str(part) for part in path)


_DEFAULTS = {"count": "1", "days": "0", "times": "1"}
_OPTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "period": tuple((word, word) for word in PERIODS),
    "unit": tuple((word, f"{word}(s)") for word in UNITS),
}
