"""Every merge tag there is: names, labels for the menu, and examples. Values come from content.values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from content.brand import BRAND_TAGS
from content.models import TrackedLink
from crm.models import CustomField


@dataclass(frozen=True, slots=True)
class MergeField:
    """A value that a tag can name."""

    path: str
    label: str
    example: str = ""

    @property
    def tag(self) -> str:
        """Return what the menu inserts."""
        filters = {"date": '|date("j F Y")', "url": ""}
        return f"{{{{ {self.path}{filters.get(self.example, '')} }}}}"


CONTACT = [
    MergeField("contact.first_name", "First name"),
    MergeField("contact.last_name", "Last name"),
    MergeField("contact.name", "Full name"),
    MergeField("contact.email", "Email address"),
    MergeField("contact.job_title", "Job title"),
    MergeField("contact.phone", "Phone"),
    MergeField("contact.mobile", "Mobile"),
    MergeField("contact.country", "Country"),
    MergeField("contact.language", "Language"),
    MergeField("contact.date_of_birth", "Date of birth", "date"),
    MergeField("contact.category", "Category"),
    MergeField("contact.business", "Business"),
]
COMPANY = [
    MergeField("company.name", "Company"),
    MergeField("company.category", "Category"),
    MergeField("company.business", "Business"),
    MergeField("company.phone", "Phone"),
    MergeField("company.website", "Website"),
    MergeField("company.country", "Country"),
]
PERSON = [
    ("name", "Name"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("email", "Email address"),
]
TENANT = [
    MergeField("tenant.name", "Our name"),
    MergeField("tenant.postal_address", "Our postal address"),
    MergeField("brand.website", "Our website", "url"),
]
_BRAND = frozenset(f"brand.{name}" for name in BRAND_TAGS)
LINKS = [
    MergeField("links.unsubscribe", "Unsubscribe", "url"),
    MergeField("links.preferences", "Preferences", "url"),
    MergeField("links.view_in_browser", "View in browser", "url"),
]
# A form's confirmation has this one: it leads to what one submission waits for.
_OURS = frozenset(item.path for item in LINKS) | {"links.confirm"}
# Loops may run over these and nothing else.
LISTS = frozenset({"contact.interests"})


@dataclass(frozen=True, slots=True)
class TagTree:
    """The known paths of one tenant."""

    groups: Mapping[str, tuple[MergeField, ...]]
    paths: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        known = {item.path for items in self.groups.values() for item in items} | LISTS
        object.__setattr__(self, "paths", frozenset(known | _BRAND))

    def knows(self, path: str) -> bool:
        """Say whether a tag may name this path. What an event carries is known only when it comes."""
        return path in self.paths or path.startswith("event.")

    def nearest(self, path: str) -> str | None:
        """Return the known path that was probably meant."""
        import difflib

        found = difflib.get_close_matches(path, self.paths, n=1, cutoff=0.6)
        return found[0] if found else None


def tag_tree(custom_fields: Iterable[CustomField], links: Iterable[TrackedLink] = ()) -> TagTree:
    """Return the tree with the tenant's own fields and registered links."""
    own: dict[str, list[MergeField]] = {"contact": [], "company": []}
    for custom in custom_fields:
        example = "date" if custom.type == CustomField.Type.DATE else ""
        own[custom.on].append(
            MergeField(f"{custom.on}.custom.{custom.key.replace('-', '_')}", custom.name, example)
        )
    registered = tuple(MergeField(f"links.{link.key}", link.name, "url") for link in links)
    interests = MergeField('contact.interests|join(", ")', "Interests")
    return TagTree(
        {
            "Contact": (*CONTACT, interests, *own["contact"]),
            "Company": (*COMPANY, *own["company"]),
            "Our contact": tuple(MergeField(f"our_contact.{key}", label) for key, label in PERSON),
            "Service contact": tuple(MergeField(f"service_contact.{key}", label) for key, label in PERSON),
            "Us": tuple(TENANT),
            "Links": tuple(LINKS),
            **({"Tracked links": registered} if registered else {}),
        }
    )


def known_tree() -> TagTree:
    """Return the tree of the open tenant scope."""
    links = TrackedLink.objects.filter(deleted_at=None).order_by("folder", "name")
    return tag_tree(CustomField.objects.order_by("on", "rank", "name"), links)


def registered_links(paths: Iterable[str]) -> set[str]:
    """Return the keys of the registered links among the paths that an email names."""
    return {path.removeprefix("links.") for path in paths if path.startswith("links.") and path not in _OURS}


def costs_a_query(path: str) -> bool:
    """Say whether reading this path takes a query of its own, so that only emails that name it pay for it."""
    return path in LISTS or ".custom." in path
