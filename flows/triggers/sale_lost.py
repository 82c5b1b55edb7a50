"""Sale lost: a sale to the contact is lost."""

from __future__ import annotations

from flows.triggers.desk import SaleTrigger


class SaleLost(SaleTrigger):
    """See the module."""

    name = "sale_lost"
    label = "Sale lost"
    description = "A sale to the contact is lost."
    icon = "x-circle"
    event_kinds = frozenset({"sale.lost"})
