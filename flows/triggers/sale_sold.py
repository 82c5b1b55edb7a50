"""Sale sold: a sale to the contact is won."""

from __future__ import annotations

from flows.triggers.desk import SaleTrigger


class SaleSold(SaleTrigger):
    """See the module."""

    name = "sale_sold"
    label = "Sale sold"
    description = "A sale to the contact is won."
    icon = "handshake"
    event_kinds = frozenset({"sale.sold"})
