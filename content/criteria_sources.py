"""What criteria may name of this room (settings.CRITERIA_SOURCES): emails, tracked links and forms, for engagement."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from content.models import Email
from content.models_form import Form
from content.models_link import TrackedLink
from crm.criteria.sources import Choice, Source

MOST = 500


def _source(model: type[Email | Form | TrackedLink]) -> Source:
    """The newest ones by name; deleted ones keep their names: what was sent stays asked about."""

    def choices() -> list[Choice]:
        newest = model.objects.filter(deleted_at=None).order_by("-id").values_list("id", "name")[:MOST]
        return [Choice(str(pk), name) for pk, name in sorted(newest, key=lambda pair: pair[1].casefold())]

    def names(ids: Collection[int]) -> Mapping[int, str]:
        return dict(model.objects.filter(pk__in=ids).values_list("id", "name"))

    return Source(choices, names)


EMAILS = _source(Email)
LINKS = _source(TrackedLink)
FORMS = _source(Form)
