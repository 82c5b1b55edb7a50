"""Comparisons of merge tags: of any two values, never an error. What cannot be compared is not so.

A date stands beside its text ("2026-01-31") and a number beside its digits: what a form's visitor wrote is text, and
nobody who writes `event.size > 3` should have to know. Knows no templates' sources.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from jinja2 import Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame

_ORDER: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "gteq": operator.ge,
    "lt": operator.lt, "lteq": operator.le,
}  # fmt: skip


def compares(value: Any, *rest: Any) -> bool:
    """Say whether a chain of comparisons holds: compares(a, "lt", b, "lteq", c) is a < b <= c."""
    for name, other in zip(rest[::2], rest[1::2], strict=True):
        if not _holds(value, name, other):
            return False
        value = other
    return True


def _holds(left: Any, name: str, right: Any) -> bool:
    if name in {"in", "notin"}:
        return _is_in(left, right) is (name == "in")
    if isinstance(left, Undefined) or isinstance(right, Undefined):
        return bool(_ORDER[name](left, right))
    left, right = _alike(left, right)
    try:
        return bool(_ORDER[name](left, right))
    except (TypeError, InvalidOperation):
        return False


def _is_in(part: Any, whole: Any) -> bool:
    if isinstance(part, Undefined) or part is None:
        return False
    if isinstance(whole, str):
        return str(part) in whole
    return isinstance(whole, (list, tuple)) and part in whole


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Return both as the same kind of thing where one is a text that says it."""
    if isinstance(left, dt.date) or isinstance(right, dt.date):
        return _moments(left, right)
    numbers = (int, float, Decimal)
    if isinstance(left, numbers) and isinstance(right, str):
        return left, _number(right)
    if isinstance(left, str) and isinstance(right, numbers):
        return _number(left), right
    return left, right


def _moments(left: Any, right: Any) -> tuple[Any, Any]:
    """Return two days, or two moments where both have a time of day."""
    left, right = _moment(left), _moment(right)
    if isinstance(left, dt.datetime) and isinstance(right, dt.datetime):
        return _with_zone(left), _with_zone(right)
    return _day(left), _day(right)


def _with_zone(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, dt.datetime) else value


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for read in (dt.date.fromisoformat, dt.datetime.fromisoformat):
        try:
            return read(value.strip())
        except ValueError:
            continue
    return value


def _number(text: str) -> Any:
    try:
        return Decimal(text.strip()[:60])
    except InvalidOperation:
        return text


class ComparingCode(CodeGenerator):
    """Jinja's own code, with comparisons by `compares` of the environment."""

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802 - the name is Jinja's
        self.write("environment.compares(")
        self.visit(node.expr, frame)
        for operand in node.ops:
            self.write(f", {operand.op!r}, ")
            self.visit(operand.expr, frame)
        self.write(")")
