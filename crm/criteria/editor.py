"""The criteria editor's other half: from posted fields to criteria, one operation at a time. Pure.

Names of posted fields: `<prefix>.g0.l1.field`, `.operator`, `.v0` …, `.which`, `.currency`, `.when` and its
`.days` or `.w0` …; a nested group's lines go on the same way (`<prefix>.g0.l1.g0.l0.field`). Back to widgets:
crm.criteria.drawing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import QueryDict

from crm.criteria.operators import read_days
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.validate import MOST_DEPTH, MOST_LINES

_PART = re.compile(r"([gl])(\d{1,4})")
Path = tuple[int, ...]
# When counted rows are from, beside the operators of dates: ever, or in the last so many days.
EVER, LAST_DAYS = "ever", "last"
FIRST_DAYS = 30


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
    values = _numbered(tree, "v")
    when, days = _one(tree, "when"), _days(_one(tree, "days").strip())
    if when == LAST_DAYS and "days" not in tree:
        # Just chosen: its number is not drawn yet.
        days = FIRST_DAYS
    if when in {EVER, LAST_DAYS}:
        when, days = "", days if when == LAST_DAYS else None
    elif when:
        days = None
    return Line(
        field=_one(tree, "field"),
        operator=_one(tree, "operator"),
        values=values,
        which=tuple(value[:1000] for value in _all(tree, "which")),
        days=days,
        when=when,
        when_values=_numbered(tree, "w") if when else (),
        currency=_one(tree, "currency")[:3],
    )


def _numbered(tree: Mapping[str, Any], letter: str) -> tuple[str, ...]:
    numbered = sorted(
        (int(name[1:]), values) for name, values in tree.items() if re.fullmatch(rf"{letter}\d", name)
    )
    return tuple(value[:1000] for _, given in numbered for value in given if value != "")


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
