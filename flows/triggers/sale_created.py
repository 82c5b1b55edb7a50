"""Sale created: a sale to the contact is made, by whatever way."""

from __future__ import annotations

from flows.triggers.desk import SaleTrigger


class SaleCreated(SaleTrigger):
    """See the module."""

    name = "sale_created"
    label = "Sale created"
    description = "A sale to the contact is made."
    icon = "hand-coins"
    event_kinds = frozenset({"sale.created"})
