"""What a branch asks of a form's answers: lines of a question, a comparison and a value, joined by *and* and *or*.

As in criteria, *and* binds closer: the lines between two *or* are a group, and one group is enough. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from core.text import norm

OPERATORS: dict[str, str] = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "greater": "is more than",
    "less": "is less than",
    "empty": "is empty",
    "set": "is answered",
}
WITHOUT_VALUE = ("empty", "set")
# What *is answered* surely holds for.
_ANSWERED = {"is", "contains", "greater", "less"}
MOST_LINES = 20
# Under this key a visit keeps the answers that decided: pairs of a question and its answer, in order.
ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison; `join` says how it follows the line before it: "and" or "or"."""

    field: str = ""
    operator: str = "is"
    value: str = ""
    join: str = "and"

    def holds(self, answers: Mapping[str, Any]) -> bool:
        """Say whether the answers pass."""
        return holds(self.operator, answers.get(self.field), self.value)

    def words(self, labels: Mapping[str, str]) -> str:
        """Return `“Company size” is more than “50”`."""
        value = "" if self.operator in WITHOUT_VALUE else f" “{self.value}”"
        label = labels.get(self.field, "a question that was deleted")
        return f"“{label}” {OPERATORS.get(self.operator, self.operator)}{value}"


def lines_of(settings: Mapping[str, Any]) -> list[Line]:
    """Return the lines of a branch; a branch from before there could be several has one, beside its settings."""
    if (kept := settings.get("lines")) is None:
        kept = [settings] if settings.get("field") else []
    names = ("field", "operator", "value", "join")
    return [Line(**{name: str(one[name]) for name in names if one.get(name)}) for one in kept]


def as_settings(lines: Sequence[Line]) -> dict[str, Any]:
    """Return what a branch keeps."""
    return {"lines": [asdict(line) for line in lines]}


def groups_of(lines: Sequence[Line]) -> list[list[Line]]:
    """Return the groups of which one must hold."""
    groups: list[list[Line]] = []
    for line in lines:
        if line.join == "or" or not groups:
            groups.append([])
        groups[-1].append(line)
    return groups


def all_hold(lines: Sequence[Line], answers: Mapping[str, Any]) -> bool:
    """Say whether a branch that asks for these lines takes the answers; one that asks for nothing takes nobody."""
    return any(all(line.holds(answers) for line in group) for group in groups_of(lines))


def in_words(lines: Sequence[Line], labels: Mapping[str, str]) -> str:
    """Return the lines as one sentence without a full stop."""
    groups = [" and ".join(line.words(labels) for line in group) for group in groups_of(lines)]
    return ", or ".join(groups)


def takes_all(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Say whether the left lines surely hold wherever the right ones do; unfinished ones never."""
    if not left or not right or not all(line.field for line in (*left, *right)):
        return False
    return all(
        any(all(any(_implies(one, line) for one in group) for line in wide) for wide in groups_of(left))
        for group in groups_of(right)
    )


def _implies(one: Line, other: Line) -> bool:
    if one.field != other.field:
        return False
    same = (one.operator, _compared(one)) == (other.operator, _compared(other))
    return same or (other.operator == "set" and one.operator in _ANSWERED)


def _compared(line: Line) -> str:
    return "" if line.operator in WITHOUT_VALUE else norm(line.value)


def holds(operator: str, answer: Any, value: str) -> bool:
    """Say whether an answer (text, number, yes/no or several) compares like that to a value."""
    given = [
        norm(str(one)) for one in (answer if isinstance(answer, list) else [answer]) if one not in (None, "")
    ]
    wanted = norm(value)
    judge: dict[str, Callable[[], bool]] = {
        "empty": lambda: not given,
        "set": lambda: bool(given),
        "is": lambda: wanted in given,
        "is_not": lambda: wanted not in given,
        "contains": lambda: any(wanted in one for one in given),
        "greater": lambda: _compare(given, value) > 0,
        "less": lambda: _compare(given, value) < 0,
    }
    return judge[operator]() if operator in judge else False


def _compare(given: list[str], value: str) -> int:
    """Return how the single answer compares as a number or a date; 0 where it cannot be compared."""
    if len(given) != 1:
        return 0
    try:
        one, other = Decimal(given[0].replace(",", ".")), Decimal(value.strip().replace(",", "."))
        return (one > other) - (one < other)
    except InvalidOperation:
        # ISO dates compare as texts do.
        return (given[0] > value.strip()) - (given[0] < value.strip()) if "-" in given[0] else 0
