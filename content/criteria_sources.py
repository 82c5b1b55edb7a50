"""What criteria may name of this room (settings.CRITERIA_SOURCES): emails, tracked links and forms, for engagement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.looking import who_looks
from content.flows_above import hidden_flows
from content.models import Email
from content.models_form import Form
from content.models_link import TrackedLink
from crm.criteria.sources import Choice, Source

MOST = 500
UNSEEN = "an email you may not see"


def _newest(rows: QuerySet[Any]) -> list[Choice]:
    """The newest ones by name."""
    newest = rows.filter(deleted_at=None).order_by("-id").values_list("id", "name")[:MOST]
    return [Choice(str(pk), name) for pk, name in sorted(newest, key=lambda pair: pair[1].casefold())]


def _source(model: type[Form | TrackedLink]) -> Source:
    """Deleted ones keep their names: what was sent stays asked about."""
    return Source(
        choices=lambda: _newest(model.objects.all()),
        names=lambda ids: dict(model.objects.filter(pk__in=ids).values_list("id", "name")),
    )


def _hidden() -> Collection[int]:
    """The flows that whoever the page is drawn for may not see: their emails are not told either."""
    member = who_looks()
    return () if member is None else hidden_flows(member)


def _unseen_emails(ids: Collection[int]) -> set[int]:
    hidden = _hidden() if ids else ()
    return set(Email.objects.filter(pk__in=ids, flow_id__in=hidden).values_list("id", flat=True))


def _email_names(ids: Collection[int]) -> Mapping[int, str]:
    found = dict(Email.objects.filter(pk__in=ids).values_list("id", "name"))
    return {**found, **dict.fromkeys(_unseen_emails(found), UNSEEN)}


EMAILS = Source(
    # Most belong to no flow, so what is hidden is said as what is not in it.
    choices=lambda: _newest(Email.objects.exclude(flow_id__in=_hidden())),
    names=_email_names,
    unseen=_unseen_emails,
)
LINKS = _source(TrackedLink)
FORMS = _source(Form)
