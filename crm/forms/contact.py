"""Forms of contacts and companies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.bulk.state import load, load_companies, load_custom
from crm.bulk.targets import Target, targets
from crm.forms.targets import TargetForm
from crm.models import Company, Contact

_OF_COMPANY = "Belongs to the company: changing it here changes it for all colleagues."


def contact_targets() -> list[Target]:
    """Return the fields of the contact form. One query."""
    return [target for target in targets() if not target.is_company]


def company_targets() -> list[Target]:
    """Return the fields of the company form. One query."""
    return [target for target in targets() if target.is_company or target.place == "shared"]


class ContactForm(TargetForm):
    """A contact's own fields, and the name of its company."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, contact: Contact | None = None, country: str = ""
    ) -> None:
        fields = contact_targets()
        has_company = contact is not None and contact.company_id is not None
        shared = [target.key for target in fields if target.place == "shared"]
        super().__init__(
            data,
            targets=fields,
            values=contact_values(contact, fields) if contact else {},
            country=country,
            help_texts=dict.fromkeys(shared, _OF_COMPANY) if has_company else {},
        )
        self.fields["company"] = forms.CharField(
            label="Company",
            required=False,
            max_length=200,
            widget=forms.TextInput({"autocomplete": "off", "list": "company-names"}),
            help_text="A name that is new makes a new company.",
        )
        self.initial["company"] = contact.company.name if contact and contact.company else ""
        names = ["contact_first_name", "contact_last_name", "contact_job_title", "company", "contact_email"]
        self.order_fields([*names, "contact_mobile", "contact_phone"])

    def clean(self) -> dict[str, Any]:
        """A contact needs a name or an address."""
        cleaned = super().clean()
        if not any(
            cleaned.get(name) for name in ("contact_first_name", "contact_last_name", "contact_email")
        ):
            self.add_error("contact_last_name", "Give a name or an email address.")
        return cleaned


class CompanyForm(TargetForm):
    """A company's name and fields."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, company: Company | None = None, country: str = ""
    ) -> None:
        fields = company_targets()
        super().__init__(
            data, targets=fields, values=company_values(company, fields) if company else {}, country=country
        )
        self.fields["name"] = forms.CharField(label="Name", max_length=200)
        self.initial["name"] = company.name if company else ""
        self.order_fields(["name"])


def contact_values(contact: Contact, fields: list[Target]) -> dict[str, Any]:
    """Return a contact's values by key, those of its company where they are the company's."""
    with raw_cursor() as cursor:
        state = load(
            cursor, tenant_id=require_tenant_id(), contact_ids=[contact.pk], targets=fields, lock=False
        )
    owner = state.contacts[contact.pk]
    found = {}
    for target in fields:
        holder = state.owner(owner, target)
        found[target.key] = holder.get(target.key) if holder else None
    return found


def company_values(company: Company, fields: list[Target]) -> dict[str, Any]:
    """Return a company's values by key."""
    with raw_cursor() as cursor:
        columns = [target for target in fields if target.place in {"shared", "company"}]
        owners = load_companies(cursor, require_tenant_id(), [company.pk], columns, lock=False)
        custom = [target for target in fields if target.place == "company_custom"]
        load_custom(cursor, require_tenant_id(), "company", owners, custom)
    return {target.key: owners[company.pk].get(target.key) for target in fields}
