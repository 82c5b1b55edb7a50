"""What criteria may name of this room (settings.CRITERIA_SOURCES): the emails that engagement is asked about."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from content.models import Email
from crm.criteria.sources import Choice, Source

MOST_EMAILS = 500


def _choices() -> list[Choice]:
    newest = Email.objects.filter(deleted_at=None).order_by("-id").values_list("id", "name")[:MOST_EMAILS]
    return [Choice(str(pk), name) for pk, name in sorted(newest, key=lambda pair: pair[1].casefold())]


def _names(ids: Collection[int]) -> Mapping[int, str]:
    # Deleted ones too: what was sent stays asked about.
    return dict(Email.objects.filter(pk__in=ids).values_list("id", "name"))


EMAILS = Source(_choices, _names)
