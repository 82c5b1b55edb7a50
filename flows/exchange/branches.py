"""What a branch of a split may hold: free in the document, in a file it is checked by what the split is based on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flows.document import StepNode
from flows.steps.actions import Action
from flows.steps.split.answers import MOST_LINES, OPERATORS
from flows.steps.split.answers_form import MOST_VALUE
from flows.steps.split.table import BASES


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Selection(_Settings):
    selection: int | None = None


class _Project(_Settings):
    project: int | None = None


class _Share(_Settings):
    share: int | None = Field(default=None, ge=0, le=100)


class _Line(_Settings):
    field: str = ""
    operator: str = Field(default="is", pattern=f"^({'|'.join(OPERATORS)})$")
    value: str = Field(default="", max_length=MOST_VALUE)
    join: str = Field(default="and", pattern="^(and|or)$")


class _Answers(_Line):
    # A file from before a branch could have several has one line beside it.
    lines: list[_Line] | None = Field(default=None, max_length=MOST_LINES)


class _Acts(_Settings):
    acts: list[Action] = []


# By the basis; those by criteria have no settings.
_BY_BASIS: Final[Mapping[str, type[_Settings]]] = {
    "selection": _Selection,
    "project": _Project,
    "random": _Share,
    "form_data": _Answers,
    "submitted": _Acts,
    "clicked": _Acts,
    "opened": _Acts,
}


def branch_problems(node: StepNode) -> Iterator[str]:
    """Yield what is wrong with the branches of a split."""
    if not node.branches:
        return
    basis = node.settings.get("based_on", "contact")
    if basis not in BASES:
        yield f"A split is not based on “{str(basis)[:40]}”."
        return
    kind = _BY_BASIS.get(basis, _Settings)
    for branch in node.branches[:-1]:
        try:
            kind.model_validate(branch.settings)
        except ValidationError as error:
            for one in error.errors():
                where = ", ".join(str(name) for name in one["loc"])
                yield f"branch “{branch.name[:60]}”, {where}: {one['msg']}"
    if node.branches[-1].settings:
        yield "Everyone else asks for nothing."
