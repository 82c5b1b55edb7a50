"""The figures of a form: who looked, who began, who sent, where they stopped; by day and by where the page stood.

Looks by machines are counted apart and nowhere else. Sent are the submissions of the period, whenever the page was
opened; conversion is of the looks of the period alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from content.forms.document import FormDocument
from content.models import Form, FormSubmission, FormVisit
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id

_LOOKS = """
SELECT v.*, s.id IS NOT NULL AS was_sent FROM content_formvisit v
LEFT JOIN content_formsubmission s ON s.tenant_id = v.tenant_id AND s.form_id = v.form_id AND s.key = v.key
WHERE v.tenant_id = %(tenant)s AND v.form_id = %(form)s AND v.at >= %(start)s AND v.at < %(end)s
"""
_PLACES = f"""
SELECT v.place, v.site, v.is_machine, count(*) FILTER (WHERE v.is_seen OR v.was_sent),
    count(*) FILTER (WHERE v.started_at IS NOT NULL OR v.was_sent), count(*) FILTER (WHERE v.was_sent)
FROM ({_LOOKS}) v GROUP BY 1, 2, 3
"""
_DAYS = f"""
SELECT date_trunc(%(grain)s, v.at AT TIME ZONE %(zone)s)::date, count(*) FILTER (WHERE v.is_seen OR v.was_sent),
    count(*) FILTER (WHERE v.started_at IS NOT NULL OR v.was_sent)
FROM ({_LOOKS}) v WHERE NOT v.is_machine GROUP BY 1
"""
_SENT = """
SELECT date_trunc(%(grain)s, s.submitted_at AT TIME ZONE %(zone)s)::date, s.status, count(*)
FROM content_formsubmission s
WHERE s.tenant_id = %(tenant)s AND s.form_id = %(form)s AND s.submitted_at >= %(start)s AND s.submitted_at < %(end)s
GROUP BY 1, 2
"""
_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_STOPPED = f"""
SELECT v.page, v.field, count(*) FROM ({_LOOKS}) v
WHERE NOT v.is_machine AND v.started_at IS NOT NULL AND NOT v.was_sent GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many looked, began and sent."""

    views: int = 0
    started: int = 0
    sent: int = 0

    @property
    def conversion(self) -> float | None:
        """Sent of looked, in per cent; None where nobody looked."""
        return 100 * self.sent / self.views if self.views else None

    def __add__(self, other: Numbers) -> Numbers:
        return Numbers(self.views + other.views, self.started + other.started, self.sent + other.sent)


@dataclass(frozen=True, slots=True)
class AtPlace:
    """The numbers of one place, on one site where a site is known."""

    place: str
    label: str
    site: str
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class InTime:
    """The numbers of a day, week or month, from its first to its last day. `share`: of the most views, in per cent."""

    first: dt.date
    last: dt.date
    numbers: Numbers
    share: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """Where those stopped who began and did not send: a page, or the field they wrote in last."""

    label: str
    number: int
    share: int


@dataclass(frozen=True, slots=True)
class FormNumbers:
    """The figures of a form in a period."""

    looks: Numbers
    machines: int
    sent: int
    by_status: Sequence[tuple[str, str, int]]
    places: Sequence[AtPlace]
    times: Sequence[InTime]
    grain: str
    pages: Sequence[Stop]
    fields: Sequence[Stop]

    @property
    def stopped(self) -> int:
        """How many began and did not send."""
        return self.looks.started - self.looks.sent


def grain_of(days: int) -> str:
    """Return what a line of the period stands for."""
    return "day" if days <= 31 else "week" if days <= 120 else "month"


def form_numbers(
    form: Form, document: FormDocument, *, first: dt.date, last: dt.date, zone: ZoneInfo
) -> FormNumbers:
    """Return the figures from one day to another, both included, as the clocks of the zone count days. Four queries.

    What was before the form's numbers were reset is not counted.
    """
    days = (last - first).days + 1
    grain = grain_of(days)
    asked: dict[str, Any] = {
        "tenant": require_tenant_id(), "form": form.pk, "zone": zone.key, "grain": grain,
        "start": max(dt.datetime.combine(first, dt.time(), zone), form.counted_since or _EVER),
        "end": dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), zone),
    }  # fmt: skip
    with raw_cursor() as cursor:
        places, by_day, sent, stopped = (
            cursor.execute(query, asked).fetchall() for query in (_PLACES, _DAYS, _SENT, _STOPPED)
        )
    people = [row for row in places if not row[2]]
    statuses = {status: 0 for status, _ in FormSubmission.Status.choices}
    for _, status, number in sent:
        statuses[status] += number
    return FormNumbers(
        looks=sum((Numbers(*row[3:]) for row in people), Numbers()),
        machines=sum(row[3] for row in places if row[2]),
        sent=sum(statuses.values()),
        by_status=[
            (status, label, statuses[status])
            for status, label in FormSubmission.Status.choices
            if statuses[status]
        ],
        places=_places(people),
        times=_times(by_day, sent, grain=grain, first=first, last=last),
        grain=grain,
        pages=_page_stops(document, stopped),
        fields=_field_stops(document, stopped),
    )


def _places(rows: Sequence[tuple[Any, ...]]) -> list[AtPlace]:
    labels = dict(FormVisit.Place.choices)
    found = [AtPlace(row[0], labels.get(row[0], row[0]), row[1], Numbers(*row[3:])) for row in rows]
    return sorted(found, key=lambda one: (-one.numbers.views, one.label, one.site))


def _times(
    looks: Sequence[tuple[Any, ...]],
    sent: Sequence[tuple[Any, ...]],
    *,
    grain: str,
    first: dt.date,
    last: dt.date,
) -> list[InTime]:
    """Return every part of the period, the newest first, also those in which nothing happened."""
    numbers = {day: Numbers(views, started) for day, views, started in looks}
    for day, _, number in sent:
        numbers[day] = numbers.get(day, Numbers()) + Numbers(sent=number)
    most = max((one.views for one in numbers.values()), default=0)
    lines = []
    day = _begin(first, grain)
    while day <= last:
        after = _next(day, grain)
        found = numbers.get(day, Numbers())
        ends = min(after - dt.timedelta(days=1), last)
        lines.append(InTime(max(day, first), ends, found, round(100 * found.views / most) if most else 0))
        day = after
    return lines[::-1]


def _begin(day: dt.date, grain: str) -> dt.date:
    if grain == "week":
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def _next(day: dt.date, grain: str) -> dt.date:
    if grain == "month":
        return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return day + dt.timedelta(days=7 if grain == "week" else 1)


def _page_stops(document: FormDocument, rows: Sequence[tuple[int, str, int]]) -> list[Stop]:
    """Return how many stopped on each page; nothing for a form of one page."""
    titles = ["", *(one.label for one in document.fields if one.kind == "page")]
    if len(titles) == 1:
        return []
    everybody = sum(number for _, _, number in rows)
    found = []
    for page, title in enumerate(titles):
        number = sum(row[2] for row in rows if min(row[0], len(titles) - 1) == page)
        label = f"Page {page + 1}: {title}" if title else f"Page {page + 1}"
        found.append(Stop(label, number, _share(number, everybody)))
    return found


def _field_stops(document: FormDocument, rows: Sequence[tuple[int, str, int]]) -> list[Stop]:
    """Return which field they wrote in last, in the form's order; a field that is gone is named by its key."""
    everybody = sum(number for _, _, number in rows)
    sums: dict[str, int] = {}
    for _, field, number in rows:
        sums[field] = sums.get(field, 0) + number
    labels = {one.key: one.label or one.key for one in document.questions}
    order = [*labels, *sorted(set(sums) - set(labels))]
    return [
        Stop(labels.get(key, key) or "No field: the button alone", sums[key], _share(sums[key], everybody))
        for key in order
        if key in sums
    ]


def _share(number: int, of: int) -> int:
    return round(100 * number / of) if of else 0
