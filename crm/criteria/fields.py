"""The fields that criteria may name, and where each is found in SQL. Knows tables, not operators.

Aliases: `c` is crm_contact, `co` its company (crm.criteria.sql.FROM). Fields of the tenant's own (custom fields,
consent purposes, subscription types) are read from the open scope: at most three queries, whatever is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crm.criteria.event_fields import ENGAGEMENT_FIELDS, HISTORY_FIELDS
from crm.criteria.field import CHANGED as CHANGED
from crm.criteria.field import COMPANY as COMPANY
from crm.criteria.field import CONSENT as CONSENT
from crm.criteria.field import CONTACT as CONTACT
from crm.criteria.field import GROUPS as GROUPS
from crm.criteria.field import MEMBERSHIP as MEMBERSHIP
from crm.criteria.field import Choices as Choices
from crm.criteria.field import Field as Field
from crm.criteria.field import FieldType as FieldType
from crm.criteria.follow_up_fields import FOLLOW_UP_FIELDS
from crm.criteria.sales_fields import REQUEST_FIELDS, SALE_FIELDS
from crm.criteria.sources import has_source
from crm.models import ConsentPurpose, CustomField, SubscriptionType


class UnknownField(LookupError):
    """No field of the tenant has this key."""


def _effective(column: str) -> str:
    # The company's where there is a company, else the contact's own (spec §7).
    return f"CASE WHEN c.company_id IS NULL THEN c.{column} ELSE co.{column} END"


def _members(table: str) -> str:
    return f"FROM {table} m WHERE m.tenant_id = c.tenant_id AND m.contact_id = c.id"


def _text(key: str, label: str, column: str, shape: str = "row", group: str = CONTACT) -> Field:
    return Field(key, label, group, "text", shape, column)


BUILT_IN: tuple[Field, ...] = (
    _text("contact.first_name", "First name", "c.first_name"),
    _text("contact.last_name", "Last name", "c.last_name"),
    _text("contact.job_title", "Job title", "c.job_title"),
    _text("contact.email", "Email address", "c.email_norm", "email"),
    _text("contact.mobile", "Mobile", "c.mobile"),
    _text("contact.phone", "Phone", "c.phone"),
    Field("contact.country", "Country", CONTACT, "list", "code", "c.country", choices="country"),
    Field("contact.language", "Language", CONTACT, "list", "code", "c.language", choices="language"),
    _text("contact.timezone", "Timezone", "c.timezone"),
    Field("contact.date_of_birth", "Date of birth", CONTACT, "date", "date", "c.date_of_birth"),
    Field(
        "contact.category", "Category", CONTACT, "list", "ref", _effective("category_id"), choices="category"
    ),
    Field(
        "contact.business", "Business", CONTACT, "list", "ref", _effective("business_id"), choices="business"
    ),
    Field(
        "contact.our_contact",
        "Our contact",
        CONTACT,
        "list",
        "ref",
        _effective("our_contact_id"),
        choices="user",
    ),
    Field(
        "contact.service_contact",
        "Service contact",
        CONTACT,
        "list",
        "ref",
        "c.service_contact_id",
        choices="user",
    ),
    Field(
        "contact.interests",
        "Interests",
        CONTACT,
        "list",
        "members",
        _members("crm_contactinterest"),
        choices="interest",
        member="m.item_id",
    ),
    Field("contact.former_employee", "Former employee", CONTACT, "bool", "bool", "c.former_employee"),
    Field("contact.created_at", "Created", CONTACT, "date", "moment", "c.created_at"),
    Field("contact.updated_at", "Last changed", CONTACT, "date", "moment", "c.updated_at"),
    _text("company.name", "Company name", "co.name_norm", "norm", COMPANY),
    _text("company.phone", "Company phone", "co.phone", group=COMPANY),
    _text("company.website", "Website", "co.website", group=COMPANY),
    Field("company.country", "Company country", COMPANY, "list", "code", "co.country", choices="country"),
    Field("company.created_at", "Company created", COMPANY, "date", "moment", "co.created_at"),
    Field(
        "contact.selections",
        "Selection",
        MEMBERSHIP,
        "list",
        "members",
        _members("crm_selectionmember"),
        choices="selection",
        member="m.selection_id",
        kinds=frozenset({"selection.added", "selection.removed"}),
    ),
    Field(
        "contact.projects",
        "Project",
        MEMBERSHIP,
        "list",
        "members",
        _members("crm_projectmember"),
        choices="project",
        member="m.project_id",
        kinds=frozenset({"project.added", "project.removed"}),
    ),
    # A room's own fields are a module of theirs and a line here. Things of rooms that are not there are not asked.
    *SALE_FIELDS,
    *REQUEST_FIELDS,
    *FOLLOW_UP_FIELDS,
    *(
        field
        for field in (*ENGAGEMENT_FIELDS, *HISTORY_FIELDS)
        if not field.choices or has_source(field.choices)
    ),
)
_BY_KEY = {field.key: field for field in BUILT_IN}

_CUSTOM_COLUMN = {
    CustomField.Type.TEXT: ("text", "norm", "value_norm"),
    CustomField.Type.NUMBER: ("number", "number", "value_number"),
    CustomField.Type.MONEY: ("number", "number", "value_number"),
    CustomField.Type.DATE: ("date", "date", "value_date"),
    CustomField.Type.BOOL: ("bool", "bool", "value_bool"),
    CustomField.Type.LIST: ("list", "ref", "value_item_id"),
}


def custom_key(field: CustomField) -> str:
    """Return the criteria key of a custom field."""
    return f"{field.on}.custom.{field.key}"


def _custom(field: CustomField) -> Field:
    type_, shape, column = _CUSTOM_COLUMN[CustomField.Type(field.type)]
    owner = "v.contact_id = c.id" if field.on == CustomField.On.CONTACT else "v.company_id = c.company_id"
    rows = f"FROM crm_{field.on}fieldvalue v WHERE v.tenant_id = c.tenant_id AND {owner} AND v.field_id = %s::bigint"
    return Field(
        custom_key(field),
        field.name,
        CONTACT if field.on == CustomField.On.CONTACT else COMPANY,
        type_,  # type: ignore[arg-type]  # the table above holds FieldTypes
        shape,
        # A scalar subquery on the unique (tenant, owner, field): one index probe a row, none that multiplies rows.
        f"(SELECT v.{column} {rows})",
        params=(field.pk,),
        choices="custom" if field.type == CustomField.Type.LIST else "",
        custom_id=field.pk,
        money=field.type == CustomField.Type.MONEY,
        stored=(rows, f"v.{column}"),
    )


def _consent(purpose: ConsentPurpose) -> Field:
    sql = (
        "EXISTS (SELECT 1 FROM crm_consent k WHERE k.tenant_id = c.tenant_id AND k.contact_id = c.id "
        "AND k.purpose_id = %s::bigint AND k.given)"
    )
    return Field(
        f"consent.{purpose.key}",
        f"Consent: {purpose.name}",
        CONSENT,
        "bool",
        "bool",
        sql,
        params=(purpose.pk,),
        kinds=frozenset({"consent.given", "consent.withdrawn"}),
    )


def _subscription(kind: SubscriptionType) -> Field:
    sql = (
        "NOT EXISTS (SELECT 1 FROM crm_subscriptionoptout o WHERE o.tenant_id = c.tenant_id AND o.contact_id = c.id "
        "AND o.type_id = %s::bigint)"
    )
    return Field(
        f"subscription.{kind.pk}",
        f"Subscribes to {kind.name}",
        CONSENT,
        "bool",
        "bool",
        sql,
        params=(kind.pk,),
        kinds=frozenset({"unsubscribed", "subscribed"}),
    )


def all_fields() -> list[Field]:
    """Return every field of the tenant in the order of the menu. Three queries."""
    own = [*_own_custom(), *map(_consent, ConsentPurpose.objects.order_by("id")), *_subscriptions()]
    return sorted((*BUILT_IN, *own), key=lambda field: GROUPS.index(field.group))


def date_fields() -> list[Field]:
    """Return every date field of the tenant in the order of the menu. One query."""
    own = map(_custom, CustomField.objects.filter(type=CustomField.Type.DATE))
    dates = (field for field in (*BUILT_IN, *own) if field.type == "date")
    return sorted(dates, key=lambda field: GROUPS.index(field.group))


def _own_custom() -> Iterator[Field]:
    return map(_custom, CustomField.objects.all())


def _subscriptions() -> Iterator[Field]:
    return map(_subscription, SubscriptionType.objects.all())


def fields_by_key(keys: Iterable[str]) -> dict[str, Field]:
    """Return the fields with these keys; unknown keys are left out. Queries only for the tenant's own fields."""
    wanted = set(keys)
    found = {key: _BY_KEY[key] for key in wanted if key in _BY_KEY}
    rest = wanted - found.keys()
    if any(".custom." in key for key in rest):
        found |= {field.key: field for field in _own_custom()}
    if any(key.startswith("consent.") for key in rest):
        found |= {field.key: field for field in map(_consent, ConsentPurpose.objects.all())}
    if any(key.startswith("subscription.") for key in rest):
        found |= {field.key: field for field in _subscriptions()}
    return {key: found[key] for key in wanted if key in found}


def field_named(key: str) -> Field:
    """Return one field, or raise UnknownField."""
    try:
        return fields_by_key([key])[key]
    except KeyError:
        raise UnknownField(f"There is no field {key!r}.") from None
