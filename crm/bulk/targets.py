"""The fields that may be written, where each is kept, and which actions its type has. Keys are those of criteria."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from crm.criteria.fields import COMPANY, CONTACT, Choices, custom_key
from crm.models import CustomField

# How a value is read and written. `item`, `user` and `code` are single choices, `items` several.
TargetType = Literal[
    "text", "email", "phone", "url", "number", "date", "bool", "item", "user", "code", "items"
]
# Where it is kept: `shared` belongs to the company where there is one (category, business, our contact).
Place = Literal["contact", "shared", "company", "contact_custom", "company_custom", "interests"]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done to a field; `slots` are its values in order."""

    name: str
    label: str
    slots: tuple[str, ...] = ()


_SET, _CLEAR = Action("set", "set to", ("value",)), Action("clear", "clear")
_TEXT = (
    _SET,
    _CLEAR,
    Action("replace", "search and replace", ("text", "text")),
    Action("append", "append", ("text",)),
)
_NUMBER = (_SET, _CLEAR, Action("add", "add", ("number",)), Action("subtract", "subtract", ("number",)))
_DATE = (_SET, _CLEAR, Action("today", "today plus (days)", ("days",)))
_BOOL = (Action("yes", "set to yes"), Action("no", "set to no"), Action("toggle", "toggle"))
_ITEMS = (
    Action("add", "add", ("values",)),
    Action("remove", "remove", ("values",)),
    Action("replace", "replace with", ("values",)),
    _CLEAR,
)
ACTIONS: dict[TargetType, tuple[Action, ...]] = {
    "text": _TEXT,
    "email": (_SET, _CLEAR),
    "phone": (_SET, _CLEAR),
    "url": (_SET, _CLEAR),
    "number": _NUMBER,
    "date": _DATE,
    "bool": _BOOL,
    "item": (_SET, _CLEAR),
    "user": (_SET, _CLEAR),
    "code": (_SET, _CLEAR),
    "items": _ITEMS,
}


@dataclass(frozen=True, slots=True)
class Target:
    """A field that may be written."""

    key: str
    label: str
    group: str
    type: TargetType
    place: Place
    column: str
    longest: int = 0
    choices: Choices = ""
    custom_id: int | None = None

    @property
    def is_company(self) -> bool:
        """Whether a contact without a company has no such field."""
        return self.place in {"company", "company_custom"}

    @property
    def actions(self) -> tuple[Action, ...]:
        """What may be done to it; a company is never without a name."""
        found = ACTIONS[self.type]
        return tuple(one for one in found if one is not _CLEAR) if self.key == NAME else found


def _contact(column: str, label: str, type_: TargetType, longest: int = 0, choices: Choices = "") -> Target:
    key = f"contact.{column.removesuffix('_id')}"
    return Target(key, label, CONTACT, type_, "contact", column, longest, choices)


def _shared(column: str, label: str, type_: TargetType, choices: Choices) -> Target:
    return Target(
        f"contact.{column.removesuffix('_id')}", label, CONTACT, type_, "shared", column, 0, choices
    )


def _company(column: str, label: str, type_: TargetType, longest: int, choices: Choices = "") -> Target:
    return Target(f"company.{column}", label, COMPANY, type_, "company", column, longest, choices)


BUILT_IN: tuple[Target, ...] = (
    _contact("first_name", "First name", "text", 100),
    _contact("last_name", "Last name", "text", 100),
    _contact("job_title", "Job title", "text", 160),
    _contact("email", "Email address", "email", 254),
    _contact("mobile", "Mobile", "phone", 20),
    _contact("phone", "Phone", "phone", 20),
    _contact("country", "Country", "code", 2, "country"),
    _contact("language", "Language", "code", 10, "language"),
    _contact("timezone", "Timezone", "text", 60),
    _contact("date_of_birth", "Date of birth", "date"),
    _shared("category_id", "Category", "item", "category"),
    _shared("business_id", "Business", "item", "business"),
    _shared("our_contact_id", "Our contact", "user", "user"),
    _contact("service_contact_id", "Service contact", "user", 0, "user"),
    Target("contact.interests", "Interests", CONTACT, "items", "interests", "item_id", 0, "interest"),
    _contact("former_employee", "Former employee", "bool"),
    _company("phone", "Company phone", "phone", 20),
    _company("website", "Website", "url", 200),
    _company("country", "Company country", "code", 2, "country"),
)
_BY_KEY = {target.key: target for target in BUILT_IN}
# A company's name finds a company in forms, files and the API; only a change that is asked for by itself renames it.
NAME = "company.name"
COMPANY_NAME = Target(NAME, "Company name", COMPANY, "text", "company", "name", 200)

_CUSTOM: dict[str, tuple[TargetType, str]] = {
    "text": ("text", "value_text"),
    "number": ("number", "value_number"),
    "money": ("number", "value_number"),
    "date": ("date", "value_date"),
    "bool": ("bool", "value_bool"),
    "list": ("item", "value_item_id"),
}
LONGEST_CUSTOM_TEXT = 4_000


def custom_target(field: CustomField) -> Target:
    """Return the target of a custom field."""
    type_, column = _CUSTOM[field.type]
    on_contact = field.on == CustomField.On.CONTACT
    return Target(
        custom_key(field),
        field.name,
        CONTACT if on_contact else COMPANY,
        type_,
        "contact_custom" if on_contact else "company_custom",
        column,
        LONGEST_CUSTOM_TEXT if type_ == "text" else 0,
        "custom" if type_ == "item" else "",
        field.pk,
    )


def targets() -> list[Target]:
    """Return every field that may be written, in the order of the menu. One query."""
    own = [custom_target(field) for field in CustomField.objects.all()]
    return sorted((*BUILT_IN, *own), key=lambda target: target.group != CONTACT)


def targets_by_key(keys: Iterable[str]) -> dict[str, Target]:
    """Return the targets with these keys; unknown ones are left out. A query only for custom fields."""
    wanted = set(keys)
    found = {key: _BY_KEY[key] for key in wanted if key in _BY_KEY}
    if any(".custom." in key for key in wanted):
        own = (custom_target(field) for field in CustomField.objects.all())
        found |= {target.key: target for target in own if target.key in wanted}
    return found


def changeable() -> list[Target]:
    """Return every field that a change may name: those that may be written, and the company's name. One query."""
    found = targets()
    first = next(n for n, target in enumerate(found) if target.group == COMPANY)
    return [*found[:first], COMPANY_NAME, *found[first:]]


def changeable_by_key(keys: Iterable[str]) -> dict[str, Target]:
    """Return the fields that changes name by these keys; unknown ones are left out. A query only for custom fields."""
    wanted = set(keys)
    return targets_by_key(wanted) | ({NAME: COMPANY_NAME} if NAME in wanted else {})


def target_named(key: str) -> Target | None:
    """Return one target, or None."""
    return targets_by_key([key]).get(key)
