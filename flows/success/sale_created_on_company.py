"""Sale created on the company: a sale to the contact or any colleague is made after enrolment."""

from __future__ import annotations

from flows.success.desk import SaleSuccess


class SaleCreatedOnCompany(SaleSuccess):
    """See the module."""

    name = "sale_created_on_company"
    label = "Sale created on the company"
    description = "A sale to anybody at the contact's company is made."
    icon = "buildings"
    event = "sale.created"
    of_company = True
