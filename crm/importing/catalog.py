"""Names → ids for an import: list values, members, consent purpose. Read once a slice: three queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from accounts.models import Membership
from core.text import norm, norm_email
from crm.models import ListItem

# The key of a list: its name and, for values of a custom field, the field.
ListKey = tuple[str, int | None]


@dataclass(slots=True)
class Catalog:
    """What cells may name."""

    items: dict[ListKey, dict[str, int]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    user_names: dict[int, str] = field(default_factory=dict)
    # The same few names stand in thousands of cells.
    _seen: dict[tuple[ListKey | None, str], int | None] = field(default_factory=dict)

    def item(self, key: ListKey, text: str) -> int | None:
        """Return the value of a list by name without regard to case; retired ones are not chosen anew."""
        if (key, text) not in self._seen:
            self._seen[key, text] = self.items.get(key, {}).get(norm(text))
        return self._seen[key, text]

    def user(self, text: str) -> int | None:
        """Return an active member by address or full name."""
        if (None, text) not in self._seen:
            self._seen[None, text] = self.users.get(norm_email(text) if "@" in text else norm(text))
        return self._seen[None, text]

    def add(self, key: ListKey, item: ListItem) -> None:
        """Know a value that was added to its list."""
        self.names[item.pk] = item.name
        self.items.setdefault(key, {})[item.name_norm] = item.pk
        self._seen.clear()

    def name(self, type_: str, value: object) -> str:
        """Return the name of a list value or user, else the value itself."""
        if isinstance(value, int) and type_ in {"item", "items", "user"}:
            return (self.user_names if type_ == "user" else self.names).get(value, str(value))
        return str(value)


def load_catalog() -> Catalog:
    """Read the tenant's lists and members."""
    catalog = Catalog()
    for item in ListItem.objects.all():
        catalog.names[item.pk] = item.name
        if not item.retired:
            catalog.items.setdefault((item.list, item.field_id), {})[item.name_norm] = item.pk
    for member in Membership.objects.select_related("user").order_by("-id"):
        catalog.user_names[member.user_id] = str(member.user)
        if member.is_active:
            catalog.users[norm_email(member.user.email)] = member.user_id
            catalog.users[norm(member.user.get_full_name())] = member.user_id
    return catalog


def add_items(catalog: Catalog, wanted: Iterable[tuple[ListKey, str]]) -> None:
    """Add list values that are not there yet, at the end of their lists, and put them into the catalog."""
    missing: dict[tuple[ListKey, str], str] = {}
    for key, name in wanted:
        if name and catalog.item(key, name) is None:
            missing.setdefault((key, norm(name)), name)
    for ((list_name, field_id), name_norm), name in missing.items():
        rank = ListItem.objects.filter(list=list_name, field_id=field_id).count()
        item, _ = ListItem.objects.get_or_create(
            list=list_name,
            field_id=field_id,
            name_norm=name_norm,
            defaults={"name": name[:120], "rank": rank},
        )
        catalog.add((list_name, field_id), item)
