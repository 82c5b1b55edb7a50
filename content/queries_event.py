"""Which values of the triggering event content names. Knows no flow and no trigger."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from jinja2 import TemplateError

from content.models import Email, EmailVariant, EmailVersion
from content.sandbox import paths_of

_EVENT = "event."
# By version: immutable, and its id is never used again. Emptied when full.
_known: dict[int, frozenset[str]] = {}
_MOST = 5_000


@lru_cache(maxsize=1_000)
def event_paths(source: str) -> frozenset[str]:
    """Return the `event.…` paths that a text's tags name; of a text that cannot be read, none."""
    if _EVENT not in source:
        return frozenset()
    try:
        return frozenset(path for path in paths_of(source) if path.startswith(_EVENT))
    except TemplateError:
        return frozenset()


def event_paths_of_emails(email_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Return, by email, the `event.…` paths that its newest version names in any language. Three queries at most, and
    the words of a version are read once a process."""
    versions: dict[int, int] = {}
    mails = Email.objects.filter(pk__in=email_ids, deleted_at=None).exclude(current_id=None)
    versions |= dict(mails.values_list("current_id", "id"))
    variants = EmailVariant.objects.filter(email_id__in=email_ids)
    versions |= dict(variants.values_list("current_id", "email_id"))
    unread = [pk for pk in versions if pk not in _known]
    if len(_known) + len(unread) > _MOST:
        _known.clear()
        unread = list(versions)
    rows = EmailVersion.objects.filter(pk__in=unread) if unread else EmailVersion.objects.none()
    for pk, *words in rows.values_list("pk", "subject", "preheader", "mjml", "text"):
        _known[pk] = frozenset(path for text in words for path in event_paths(text))
    found: dict[int, frozenset[str]] = {}
    for version, email in versions.items():
        found[email] = found.get(email, frozenset()) | _known.get(version, frozenset())
    return found
