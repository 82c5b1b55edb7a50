"""The left rail: what the member may see, and where they are. URL names of the apps above are texts here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import Licence, Membership
from accounts.rights import DataObject, Reach, Right
from accounts.settings_pages import settings_links
from accounts.urls_for import first_turl


@dataclass(frozen=True)
class Place:
    """An entry of the rail: the page it opens and the path parts below which it is the current one."""

    name: str
    icon: str
    url_name: str
    paths: tuple[str, ...]
    seen_by: Callable[[Membership], bool] = lambda member: True


@dataclass(frozen=True)
class RailEntry:
    """A place as it is drawn."""

    name: str
    icon: str
    url: str
    current: bool


def _marketer(member: Membership) -> bool:
    return member.may(Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)


def _reads(kind: DataObject, licence: str = "") -> Callable[[Membership], bool]:
    def reads(member: Membership) -> bool:
        return member.reach(kind, "read") != Reach.NONE and (not licence or licence in member.licences)

    return reads


def may_see_settings(member: Membership) -> bool:
    """Say whether any of the settings pages is open to the member."""
    return bool(settings_links(member, ""))


PLACES = (
    Place("Home", "house", "accounts:home", ()),
    Place("Flows", "flow-arrow", "reporting:flows", ("flows",), _marketer),
    Place("Content", "envelope-simple", "content:emails", ("content",), _marketer),
    Place("Diary", "calendar-blank", "crm:diary", ("diary",), _reads(DataObject.FOLLOW_UP)),
    Place("Contacts", "users", "crm:contacts", ("contacts", "imports"), _reads(DataObject.CONTACT)),
    Place("Companies", "buildings", "crm:companies", ("companies",), _reads(DataObject.COMPANY)),
    Place("Sales", "hand-coins", "crm:sales", ("sales",), _reads(DataObject.SALE, Licence.Code.SALES)),
    Place(
        "Requests",
        "lifebuoy",
        "crm:requests",
        ("requests",),
        _reads(DataObject.REQUEST, Licence.Code.SERVICE),
    ),
    Place("Selections", "list-checks", "crm:selections", ("selections",), _reads(DataObject.SELECTION)),
    Place("Projects", "kanban", "crm:projects", ("projects",), _reads(DataObject.PROJECT)),
    Place("Settings", "gear-six", "accounts:settings", ("settings",), may_see_settings),
)


def rail_of(member: Membership, path: str) -> list[RailEntry]:
    """Return the places that the member may see."""
    slug = member.tenant.slug
    parts = path.removeprefix(f"/t/{slug}/").split("/")
    entries = []
    for place in PLACES:
        if not place.seen_by(member):
            continue
        url = first_turl(slug, place.url_name)
        if not url:
            continue
        current = parts[0] in place.paths if place.paths else parts == [""]
        entries.append(RailEntry(name=place.name, icon=place.icon, url=url, current=current))
    return entries
