"""Reads of scripts: which of their runs failed outside flows, and whose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, QuerySet

from accounts.models import Membership
from content.models import Script, ScriptFailure
from crm.events import Origin
from crm.models import Contact
from crm.queries.reach import contacts_for

# Longer ago helps nobody to mend it; of a script that fails always, the newest say all there is to say.
KEPT, MOST = dt.timedelta(days=30), 200
_BY = {Origin.LINK: "Tracked link", Origin.FORM: "Form"}


def failures(script: Script, *, now: dt.datetime) -> QuerySet[ScriptFailure]:
    """Return the runs of a script that failed, as far as they are kept."""
    return ScriptFailure.objects.filter(script=script, at__gte=now - KEPT)


def failing(scripts: Sequence[Script], *, now: dt.datetime) -> dict[int, int]:
    """Return how many runs of each script's newest version failed, by script; one query. None has no entry."""
    rows = ScriptFailure.objects.filter(
        script_id__in=[script.pk for script in scripts], version=F("script__revision"), at__gte=now - KEPT
    )
    return dict(rows.values_list("script_id").annotate(many=Count("id")))


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A failed run: for whom (None where the member may not see the contact), by what, and why."""

    failure: ScriptFailure
    contact: Contact | None

    @property
    def by(self) -> str:
        """What kind of thing ran the script."""
        return next((words for origin, words in _BY.items() if origin == self.failure.origin), "")


def failed_runs(found: Sequence[ScriptFailure], *, member: Membership) -> list[FailedRun]:
    """Return failures with their people; one query."""
    wanted = {failure.contact_id for failure in found}
    people = {contact.pk: contact for contact in contacts_for(member).filter(pk__in=wanted)}
    return [FailedRun(failure, people.get(failure.contact_id)) for failure in found]
