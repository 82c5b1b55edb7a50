"""Sale sold: a sale to the contact is won after enrolment."""

from __future__ import annotations

from flows.success.desk import SaleSuccess


class SaleSold(SaleSuccess):
    """See the module."""

    name = "sale_sold"
    label = "Sale sold"
    description = "A sale to the contact is won."
    icon = "handshake"
    event = "sale.sold"
