"""Where ids of the tenant stand in a flow's document, in criteria, forms and links, and how others are put there.

One walk over plain JSON serves both ways: export turns ids into the file's own numbers, import turns those into what is
here. An id that stands under a name not listed here is not seen: reading a file refuses what names more than it tells.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from crm.criteria.fields import fields_by_key
from crm.criteria.operators import read_id
from crm.criteria.references import named_kind

# Settings that name things by id, whatever step, trigger, criterion, form or link has them.
NAMED: Final[Mapping[str, str]] = {
    "email": "email",
    "respond_email": "email",
    "form": "form",
    "image": "image",
    "stored_file": "stored_file",
    "link": "link",
    "script": "script",
    "secret": "webhook_secret",
    "flow": "flow",
    "exit_flow": "flow",
    "remove_from_flows": "flow",
    "selection": "selection",
    "left": "selection",
    "right": "selection",
    "exit_selection": "selection",
    "exclusions": "selection",
    "add_to_selections": "selection",
    "remove_from_selections": "selection",
    "project": "project",
    "add_to_projects": "project",
    "remove_from_projects": "project",
    "user": "user",
    "fallback_user": "user",
    "users": "user",
    "groups": "group",
    "subscription_type": "subscription_type",
    "subscription": "subscription_type",
    "purpose": "consent_purpose",
    "type": "list_item",
    "add_interests": "list_item",
    "remove_interests": "list_item",
    "new_category": "list_item",
    "new_business": "list_item",
    "sale_type": "sale_type",
    "sale_types": "sale_type",
    "stage": "sale_stage",
    "request_type": "request_type",
    "request_types": "request_type",
    "category": "request_category",
    "categories": "request_category",
    "request_category": "request_category",
    "priority": "request_priority",
    "priorities": "request_priority",
    "request_priority": "request_priority",
}
_VALUES: Final = ("values", "was", "becomes")
_KEYS: Final = ("field", "target")
_SUBSCRIPTION: Final = "subscription."
# Fields of the tenant's own whose values are yes and no: looking them up would cost a query a line.
_YES_OR_NO: Final = (_SUBSCRIPTION, "consent.")
# What stands in a file for the address of one of its pictures.
PICTURE: Final = re.compile(r"\bflow-file:image-([0-9]{1,6})\b")
_LINK_TAG: Final = re.compile(r"\blinks\.([a-z0-9_]+)")
# Below `links.` that are the system's own.
_SYSTEM_LINKS: Final = frozenset({"view_in_browser", "unsubscribe", "preferences", "confirm"})


class Swap(ABC):
    """What stands in the place of each id, custom field and registered link."""

    @abstractmethod
    def id(self, kind: str, given: int) -> int:
        """Return what is put in the place of an id."""

    @abstractmethod
    def custom(self, key: str) -> str:
        """Return the key of a custom field, as `contact.custom.size`."""

    @abstractmethod
    def is_list(self, key: str) -> bool:
        """Say whether a custom field's values are values of its list."""

    @abstractmethod
    def link(self, key: str) -> str:
        """Return the key of a registered link, as merge tags have it."""

    def pictures(self, source: str) -> str:
        """Return a text with the addresses of our pictures put in; within a tenant they stay."""
        return source

    def text(self, source: str) -> str:
        """Return a text with the pictures that it shows and the registered links that its merge tags name put in."""
        source = self.pictures(source)
        if "links." not in source:
            return source
        return _LINK_TAG.sub(self._tag, source)

    def _tag(self, match: re.Match[str]) -> str:
        return match.group() if match[1] in _SYSTEM_LINKS else f"links.{self.link(match[1])}"


def swapped(value: Any, swap: Swap) -> Any:
    """Return plain JSON with every id, key and tag that it names replaced."""
    if isinstance(value, str):
        return swap.text(value)
    if isinstance(value, list):
        return [swapped(one, swap) for one in value]
    if not isinstance(value, dict):
        return value
    kind = _kind_of_values(value, swap)
    return {name: _entry(value, name, inner, kind, swap) for name, inner in value.items()}


def _entry(whole: dict[str, Any], name: str, inner: Any, kind: str, swap: Swap) -> Any:
    if name in NAMED and _is_id(inner):
        return swap.id(NAMED[name], inner)
    if name in NAMED and isinstance(inner, list) and all(_is_id(one) for one in inner):
        return [swap.id(NAMED[name], one) for one in inner]
    if name == "id" and whole.get("kind") in {"form", "link"} and _is_id(inner):
        return swap.id(whole["kind"], inner)
    if name in _KEYS and isinstance(inner, str):
        return _field(inner, swap)
    if name in (*_VALUES, "which") and isinstance(inner, list) and kind:
        return [_value(kind, one, swap) for one in inner] if _takes(whole, name) else inner
    return swapped(inner, swap)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _field(key: str, swap: Swap) -> str:
    if ".custom." in key:
        return swap.custom(key)
    number = key.removeprefix(_SUBSCRIPTION)
    if key.startswith(_SUBSCRIPTION) and number.isascii() and number.isdigit():
        return f"{_SUBSCRIPTION}{swap.id('subscription_type', int(number))}"
    return key


def _takes(line: dict[str, Any], name: str) -> bool:
    """Fields that count rows are narrowed by `which`; their values are numbers."""
    field = fields_by_key([line["field"]]).get(line["field"]) if ".custom." not in line["field"] else None
    return (name == "which") is bool(field and field.rows)


def _kind_of_values(line: dict[str, Any], swap: Swap) -> str:
    """Return the kind of what a line of criteria, or a change of a field, names by its values."""
    key = line.get("field")
    if not isinstance(key, str) or not any(name in line for name in (*_VALUES, "which")):
        return ""
    if ".custom." in key:
        return "list_item" if swap.is_list(key) else ""
    if key.startswith(_YES_OR_NO):
        return ""
    field = fields_by_key([key]).get(key)
    return named_kind(field) if field is not None else ""


def _value(kind: str, value: Any, swap: Swap) -> Any:
    found = read_id(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if found is None:
        return value
    return str(swap.id(kind, found)) if isinstance(value, str) else swap.id(kind, found)
