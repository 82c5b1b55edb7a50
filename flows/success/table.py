"""The success kinds in menu order. A new kind is one file and one line here."""

from __future__ import annotations

from core.kinds import KindTable
from flows.success.base import SuccessKind
from flows.success.criteria import CriteriaHold

SUCCESS_KINDS: KindTable[SuccessKind] = KindTable("success kind", [CriteriaHold()])
