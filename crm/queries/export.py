"""Contacts as rows for a file: read in blocks by a server-side cursor, so memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from crm.models import Contact, ContactFieldValue, ContactInterest, CustomField

HEADERS = (
    "First name",
    "Last name",
    "Email",
    "Mobile",
    "Phone",
    "Company",
    "Job title",
    "Category",
    "Business",
    "Our contact",
    "Country",
    "Language",
    "Date of birth",
    "Former employee",
    "Created",
)
BLOCK = 2_000


def export_rows(contacts: QuerySet[Contact]) -> Iterator[list[object]]:
    """Yield the header and a row for each contact, with interests and custom fields. Three queries a block."""
    fields = list(CustomField.objects.filter(on=CustomField.On.CONTACT))
    yield [*HEADERS, "Interests", *(field.name for field in fields)]
    related = contacts.select_related(
        "company__category",
        "company__business",
        "company__our_contact",
        "category",
        "business",
        "our_contact",
    )
    last = 0
    while block := list(related.filter(pk__gt=last).order_by("pk")[:BLOCK]):
        last = block[-1].pk
        yield from _block(block, fields)


def _block(block: list[Contact], fields: list[CustomField]) -> Iterator[list[object]]:
    ids = [contact.pk for contact in block]
    interests: dict[int, list[str]] = {}
    for contact_id, name in ContactInterest.objects.filter(contact__in=ids).values_list(
        "contact_id", "item__name"
    ):
        interests.setdefault(contact_id, []).append(name)
    values: dict[tuple[int, int], object] = {}
    for row in ContactFieldValue.objects.filter(contact__in=ids).select_related("value_item"):
        values[row.contact_id, row.field_id] = _shown(row)
    for contact in block:
        yield [
            *_own(contact),
            "; ".join(sorted(interests.get(contact.pk, ()))),
            *(values.get((contact.pk, field.pk), "") for field in fields),
        ]


def _own(contact: Contact) -> list[object]:
    owner = contact.company or contact
    return [
        contact.first_name,
        contact.last_name,
        contact.email,
        contact.mobile,
        contact.phone,
        contact.company.name if contact.company else "",
        contact.job_title,
        owner.category.name if owner.category else "",
        owner.business.name if owner.business else "",
        str(owner.our_contact) if owner.our_contact else "",
        contact.country,
        contact.language,
        contact.date_of_birth,
        "yes" if contact.former_employee else "no",
        contact.created_at.date(),
    ]


def _shown(row: ContactFieldValue) -> object:
    if row.value_item is not None:
        return row.value_item.name
    if row.value_bool is not None:
        return "yes" if row.value_bool else "no"
    if row.value_number is not None:
        return f"{row.value_number:f}".rstrip("0").rstrip(".")
    return row.value_date or row.value_text
