"""Sale created: a sale to the contact is made after enrolment, whoever made it."""

from __future__ import annotations

from flows.success.desk import SaleSuccess


class SaleCreated(SaleSuccess):
    """See the module."""

    name = "sale_created"
    label = "Sale created"
    description = "A sale to the contact is made."
    icon = "hand-coins"
    event = "sale.created"
