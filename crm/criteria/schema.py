"""The typed tree of criteria: groups are OR-ed, the lines of a group AND-ed, and a line may be nested criteria."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Value = str | int | float | bool


class Line(BaseModel):
    """One condition: a field (crm.criteria.fields), an operator of its type, and values in that operator's order.

    Values are JSON scalars: ids for lists, selections and projects, ISO text for dates, decimal text for money.
    Fields that count or sum rows (crm.criteria.field.Rows) may be narrowed: `which` are the ids of the things that
    count (none: any), `days` the last days that are looked at (none: ever; text while it is unfinished), or `when` an
    operator of dates with `when_values` ("in_period", "this", 1, "month"). Sums of money are of one `currency`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["line"] = "line"
    field: str
    operator: str
    values: tuple[Value, ...] = ()
    which: tuple[Value, ...] = ()
    days: int | str | None = None
    when: str = ""
    when_values: tuple[Value, ...] = ()
    currency: str = ""


class Group(BaseModel):
    """Lines that must all hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lines: tuple[Line | Criteria, ...] = ()


class Criteria(BaseModel):
    """Groups of which one must hold. Without groups everyone matches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["criteria"] = "criteria"
    groups: tuple[Group, ...] = Field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to judge."""
        return not any(group.lines for group in self.groups)


Group.model_rebuild()
