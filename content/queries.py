"""Reads of content that other rooms need: what can be sent, what can be chosen, what is locked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import F, Q, QuerySet

from content.languages import language_name
from content.models import Email, EmailLock, EmailVariant, EmailVersion, MessageLink
from core.tenancy import require_tenant_id
from crm.models import Usage


@dataclass(frozen=True, slots=True)
class EmailChoice:
    """An email as a step may choose it. `version_id` None: it has not been saved without problems yet."""

    id: int
    name: str
    subject: str
    version_id: int | None
    flow_id: int | None
    updated_at: dt.datetime

    @property
    def is_sendable(self) -> bool:
        """Whether there is a version that can be sent."""
        return self.version_id is not None


def sendable_version(email_id: int) -> int | None:
    """Return the id of the email's newest version, or None where nothing can be sent."""
    return Email.objects.filter(pk=email_id, deleted_at=None).values_list("current_id", flat=True).first()


def email_choices(flow_id: int | None = None) -> list[EmailChoice]:
    """Return the emails that a flow may use: its own first, then those that belong to no flow; by name."""
    emails = (
        _alive()
        .filter(Q(flow_id=flow_id) | Q(flow_id=None))
        .order_by(F("flow_id").asc(nulls_last=True), "name", "id")
    )
    return [_choice(email) for email in emails]


def links_of_emails(email_ids: Sequence[int]) -> dict[int, list[tuple[str, int | None]]]:
    """Return, by email, (address, registered link or None) of each link of its newest version, in order.

    Links that only a variant has come last. Emails that cannot be sent yet are left out. Three queries.
    """
    versions = dict(
        _alive().filter(pk__in=email_ids).exclude(current_id=None).values_list("current_id", "id")
    )
    found: dict[int, dict[tuple[str, int | None], None]] = {email_id: {} for email_id in versions.values()}
    variants = EmailVariant.objects.filter(email_id__in=found).order_by("language")
    versions |= dict(variants.values_list("current_id", "email_id"))
    place = {version_id: number for number, version_id in enumerate(versions)}
    links = MessageLink.objects.filter(version_id__in=versions).order_by("version_id", "number")
    rows = sorted(links.values_list("version_id", "url", "registered_id"), key=lambda row: place[row[0]])
    for version_id, url, registered in rows:
        found[versions[version_id]][url, registered] = None
    return {email_id: list(links) for email_id, links in found.items()}


def variants_of(email_id: int) -> list[EmailVariant]:
    """Return an email's variants, by the name of their language."""
    found = EmailVariant.objects.filter(email_id=email_id).select_related("current")
    return sorted(found, key=lambda one: language_name(one.language))


def emails_of_flow(flow_id: int, *, used: Sequence[int] = ()) -> list[EmailChoice]:
    """Return the emails that belong to a flow or that its steps use (`used`), by name."""
    return [
        _choice(email)
        for email in _alive().filter(Q(flow_id=flow_id) | Q(pk__in=used)).order_by("name", "id")
    ]


def email_names(email_ids: Sequence[int]) -> dict[int, str]:
    """Return names by id of the emails that still exist."""
    return dict(_alive().filter(pk__in=email_ids).values_list("id", "name"))


def email_of_version(version_id: int) -> int | None:
    """Return the email that a version belongs to (settings.DELIVERY_EMAIL_OF)."""
    return _email_of_version(require_tenant_id(), version_id)


@lru_cache(maxsize=4096)
def _email_of_version(tenant_id: int, version_id: int) -> int | None:
    # A version never changes its email, so processes may remember it.
    return EmailVersion.objects.filter(pk=version_id).values_list("email_id", flat=True).first()


def locks_of(email_id: int, *, hidden: Collection[int] = ()) -> list[EmailLock]:
    """Return the running flows that lock an email, by name; a hidden one is there without its name."""
    locks = list(EmailLock.objects.filter(email_id=email_id).order_by("flow_name", "flow_id"))
    for lock in locks:
        if lock.flow_id in hidden:
            lock.flow_name, lock.url = "another flow", ""
    return locks


def _alive() -> QuerySet[Email]:
    return Email.objects.filter(deleted_at=None, is_internal=False)


def _choice(email: Email) -> EmailChoice:
    return EmailChoice(
        id=email.pk,
        name=email.name,
        subject=email.subject,
        version_id=email.current_id,
        flow_id=email.flow_id,
        updated_at=email.updated_at,
    )


def uses_of(email_id: int, *, hidden: Collection[int] = ()) -> list[Usage]:
    """Return what uses an email (written by the rooms above when they save), without what hidden flows do."""
    return list(_uses([email_id], hidden).order_by("user_name", "place"))


def _uses(email_ids: Sequence[int], hidden: Collection[int]) -> QuerySet[Usage]:
    uses = Usage.objects.filter(used_kind="email", used_id__in=email_ids)
    return uses.exclude(user_kind="flow", user_id__in=hidden)


@dataclass(frozen=True, slots=True)
class LibraryLine:
    """An email in the library: what uses it, and whether a running flow locks it."""

    email: Email
    uses: tuple[Usage, ...]
    is_locked: bool


def library(search: str = "", *, hidden: Collection[int] = ()) -> QuerySet[Email]:
    """Return the emails whose name or subject holds the text, but not those of hidden flows. A tenant has hundreds."""
    found = _alive().select_related("updated_by").exclude(flow_id__in=hidden)
    return found.filter(Q(name__icontains=search) | Q(subject__icontains=search)) if search.strip() else found


def library_lines(emails: Sequence[Email], *, hidden: Collection[int] = ()) -> list[LibraryLine]:
    """Return the emails with their uses and locks, in two queries."""
    ids = [email.pk for email in emails]
    locked = set(EmailLock.objects.filter(email_id__in=ids).values_list("email_id", flat=True))
    uses: dict[int, list[Usage]] = {}
    seen = set()
    for use in _uses(ids, hidden).order_by("user_name", "id"):
        if (use.used_id, use.user_kind, use.user_id) not in seen:
            seen.add((use.used_id, use.user_kind, use.user_id))
            uses.setdefault(use.used_id, []).append(use)
    return [LibraryLine(email, tuple(uses.get(email.pk, ())), email.pk in locked) for email in emails]
