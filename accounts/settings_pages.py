"""The settings' own navigation: which pages there are and who sees them. Names of apps above are texts here."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Licence, Membership
from accounts.rights import Right
from accounts.urls_for import first_turl

ADMIN = (Right.ADMINISTRATOR,)
PEOPLE = (Right.ADMINISTRATOR, Right.MANAGE_USERS)
LISTS = (Right.ADMINISTRATOR, Right.MANAGE_LISTS)
CONNECTORS = (Right.ADMINISTRATOR, Right.MANAGE_CONNECTORS)
DESK = (Licence.Code.SALES, Licence.Code.SERVICE)


@dataclass(frozen=True)
class SettingsPage:
    """A page of the settings."""

    section: str
    name: str
    url_name: str
    rights: tuple[Right, ...]
    # Only where the tenant has any of these licences; empty: always.
    licences: tuple[str, ...] = ()


PAGES = (
    SettingsPage("Company", "Company", "accounts:company", ADMIN),
    SettingsPage("Company", "Working hours", "crm:working_hours", ADMIN),
    SettingsPage("People", "Users", "accounts:users", PEOPLE),
    SettingsPage("People", "Groups", "accounts:groups", PEOPLE),
    SettingsPage("People", "Roles", "accounts:roles", PEOPLE),
    SettingsPage("Data", "Lists", "crm:lists", LISTS),
    SettingsPage("Data", "Sales and requests", "crm:choice_lists", LISTS, DESK),
    SettingsPage("Data", "Custom fields", "crm:custom_fields", LISTS),
    SettingsPage("Data", "Subscription types", "crm:subscription_types", LISTS),
    SettingsPage("Connectors", "Email", "connectors:email", CONNECTORS),
    SettingsPage("Connectors", "Sender domains", "connectors:domains", CONNECTORS),
    SettingsPage("Connectors", "Frequency cap and pace", "connectors:sending", CONNECTORS),
    SettingsPage("Connectors", "SMS", "connectors:sms", CONNECTORS),
    SettingsPage("Connectors", "API keys", "accounts:api_keys", ADMIN),
    SettingsPage("Connectors", "Webhooks", "connectors:webhooks", CONNECTORS),
    SettingsPage("Security", "Audit log", "accounts:audit", ADMIN),
)


@dataclass(frozen=True)
class SettingsLink:
    """A page as the navigation draws it."""

    section: str
    name: str
    url: str
    current: bool


def settings_links(member: Membership, path: str) -> list[SettingsLink]:
    """Return the settings pages that are open to the member."""
    links = []
    for page in PAGES:
        if not member.may(*page.rights):
            continue
        if page.licences and not member.licences.intersection(page.licences):
            continue
        url = first_turl(member.tenant.slug, page.url_name)
        if url:
            links.append(SettingsLink(page.section, page.name, url, current=path.startswith(url)))
    return links
