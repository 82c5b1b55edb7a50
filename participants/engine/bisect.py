"""A bad apple does not spoil the batch, and a broken step does not fail everyone on it.

A step kind runs in a savepoint. When it raises because of data or its own code, the cohort is halved until the one
participant is found. Failures of the connection, the server or a lock (SQLSTATE classes 08, 40, 53, 55, 57) are
nobody's: they go up and the whole batch comes again. When the first SAMPLE participants tried alone all fail and
none has passed, the step itself is broken: its cohort is held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import psycopg
import structlog
from django.db import transaction

from flows.document import StepNode
from flows.steps.base import Cohort, Outcomes, StepBroken
from participants.engine.moving import Moving

log = structlog.get_logger(__name__)

WHOLE_BATCH = ("08", "40", "53", "55", "57")
SAMPLE = 8
R = TypeVar("R")


@dataclass(slots=True)
class Bisection:
    """The outcomes of the parts that passed, and the errors of participants that failed alone."""

    outcomes: list[tuple[Sequence[Moving], Outcomes]] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)


def is_for_whole_batch(error: BaseException) -> bool:
    """Say whether an error is the connection's, the server's or a lock's, and so no participant's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, psycopg.Error) and (cause.sqlstate or "08")[:2] in WHOLE_BATCH:
            return True
        cause = cause.__cause__
    return False


class EachFailed(StepBroken):
    """It failed for each one tried. Those few may be at fault themselves; what a kind says itself concerns all."""


def run_bisected(
    run: Callable[[Cohort], Outcomes],
    node: StepNode,
    movers: Sequence[Moving],
    *,
    undo: Callable[[], Callable[[], None]],
) -> Bisection:
    """Run a step kind for the cohort of a node, halving it where it raises.

    `undo()` is called before each part and returns what takes back, in memory, what a failed part collected.
    Raises StepBroken, or the error itself where it concerns the whole batch.
    """
    result = Bisection()
    parts: list[Sequence[Moving]] = [movers]
    while parts:
        part = parts.pop()
        take_back = undo()
        try:
            with transaction.atomic():
                result.outcomes.append((part, run(Cohort(node, part))))
        except Exception as error:
            if isinstance(error, StepBroken) or is_for_whole_batch(error):
                raise
            take_back()
            if len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
                continue
            log.warning("step_failed", step=str(node.id), participant=part[0].id, error=repr(error))
            result.errors[part[0].id] = f"{type(error).__name__}: {error}"[:500]
            _check_broken(result, total=len(movers))
    return result


def _check_broken(result: Bisection, *, total: int) -> None:
    if not result.outcomes and len(result.errors) >= min(SAMPLE, total):
        raise EachFailed(next(iter(result.errors.values())))
