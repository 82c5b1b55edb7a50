"""Registered tracked links: make, change, count anew, delete."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.text import slugify

from accounts.audit import write_audit
from accounts.models import User
from content.forms.page import form_of_address
from content.link_actions import LinkActions
from content.models import TrackedLink
from content.tree import LINKS
from crm.operations.usage import check_unused, forget_uses, write_uses

# Names below `links.` that are not for the tenant to take.
_TAKEN = frozenset(item.path.removeprefix("links.") for item in LINKS) | {"confirm"}


class LinkNameTaken(ValueError):
    """Another link has this name."""


@dataclass(frozen=True, slots=True)
class LinkDraft:
    """What a writer hands in; the address has passed content.links.link_problem."""

    name: str
    folder: str = ""
    shows: str = TrackedLink.Shows.ADDRESS
    url: str = ""
    heading: str = ""
    text: str = ""
    actions: LinkActions = field(default_factory=LinkActions)


@transaction.atomic
def create_link(*, draft: LinkDraft, actor: User | None, now: dt.datetime) -> TrackedLink:
    """Make a link; its key for merge tags comes from its name and stays. Raises LinkNameTaken."""
    _check_free(draft.name)
    link = TrackedLink(key=_free_key(draft.name), created_at=now)
    return _save(link, draft, actor, now, "created")


@transaction.atomic
def change_link(*, link_id: int, draft: LinkDraft, actor: User | None, now: dt.datetime) -> TrackedLink:
    """Change a link; mails that went out lead to the new address from now on. Raises LinkNameTaken."""
    link = TrackedLink.objects.select_for_update(no_key=True).get(pk=link_id, deleted_at=None)
    _check_free(draft.name, but=link_id)
    return _save(link, draft, actor, now, "changed")


def _save(
    link: TrackedLink, draft: LinkDraft, actor: User | None, now: dt.datetime, verb: str
) -> TrackedLink:
    link.name, link.folder, link.shows = draft.name, draft.folder, draft.shows
    link.url, link.heading, link.text = draft.url, draft.heading, draft.text
    link.actions = draft.actions.model_dump(mode="json", exclude_defaults=True)
    link.updated_at, link.updated_by = now, actor
    link.save()
    form_id = form_of_address(link.url)
    write_uses(
        user_kind="link", user_id=link.pk, user_name=link.name, page="content:link",
        references=[*draft.actions.references(), *([("form", form_id)] if form_id is not None else [])],
        place="Tracked link",
    )  # fmt: skip
    _audit(link, actor, verb, url=link.url)
    return link


@transaction.atomic
def reset_link(*, link_id: int, actor: User, now: dt.datetime) -> None:
    """Count clicks anew from now. What was clicked before stays on the contacts' timelines."""
    link = TrackedLink.objects.select_for_update(no_key=True).get(pk=link_id, deleted_at=None)
    link.counted_since = now
    link.save(update_fields=["counted_since"])
    _audit(link, actor, "reset")


@transaction.atomic
def delete_link(*, link_id: int, actor: User, now: dt.datetime) -> None:
    """Delete a link that nothing uses; in mails that went out it leads on. Raises InUse."""
    link = TrackedLink.objects.select_for_update().get(pk=link_id, deleted_at=None)
    check_unused("link", link_id, link.name)
    link.deleted_at = now
    link.save(update_fields=["deleted_at"])
    forget_uses(user_kind="link", user_id=link_id)
    _audit(link, actor, "deleted")


def _check_free(name: str, but: int | None = None) -> None:
    if TrackedLink.objects.filter(name=name, deleted_at=None).exclude(pk=but or 0).exists():
        raise LinkNameTaken(f"There is a link “{name}” already.")


def _free_key(name: str) -> str:
    """Return a word that a merge tag can name and that no link has or had."""
    stem = re.sub(r"[^a-z0-9]+", "_", slugify(name)).strip("_")[:40]
    stem = stem if stem[:1].isalpha() else f"link_{stem}".strip("_")
    known = set(TrackedLink.objects.filter(key__startswith=stem).values_list("key", flat=True)) | _TAKEN
    number, key = 1, stem
    while key in known:
        number += 1
        key = f"{stem}_{number}"
    return key


def _audit(link: TrackedLink, actor: User | None, verb: str, **payload: str) -> None:
    write_audit(
        actor=actor, action=f"link.{verb}", object_kind="link", object_id=link.pk, object_name=link.name,
        payload=payload,
    )  # fmt: skip
