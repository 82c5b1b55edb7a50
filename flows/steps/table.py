"""The step kinds in menu order. A new kind is one file and one line here."""

from __future__ import annotations

from core.kinds import KindTable
from flows.steps.base import StepKind

STEP_KINDS: KindTable[StepKind] = KindTable("step kind", [])
