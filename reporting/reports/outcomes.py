"""What came of a flow: how long it took to success, and which sales its participants bought afterwards.

Bounded: times are of the newest successes of the period, sales by their own index.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from core.db.cursors import raw_cursor
from core.localtime import span
from participants.words import duration
from reporting.reports.period import Period

NEWEST: Final = 10_000
_HOUR, _DAY = 3_600, 86_400
# Up to how many seconds, in words.
STEPS: Final = (
    (_HOUR, "within an hour"),
    (_DAY, "1 hour to 1 day"),
    (3 * _DAY, "1 to 3 days"),
    (7 * _DAY, "3 to 7 days"),
    (14 * _DAY, "1 to 2 weeks"),
    (30 * _DAY, "2 weeks to 30 days"),
    (90 * _DAY, "30 to 90 days"),
    (None, "longer"),
)
_TIMES = """
WITH newest AS (
    SELECT extract(epoch FROM success_at - enrolled_at) AS took FROM participants_participant
    WHERE tenant_id = %(tenant)s AND flow_id = %(flow)s AND status = 'success'
      AND (%(begin)s::timestamptz IS NULL OR ended_at >= %(begin)s) AND ended_at < %(end)s
    ORDER BY id DESC LIMIT %(newest)s
)
SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY took), percentile_cont(0.9) WITHIN GROUP (ORDER BY took),
       array(SELECT count(n.took) FROM unnest(%(bounds)s::float[]) WITH ORDINALITY AS b(low, at)
             LEFT JOIN newest n ON width_bucket(greatest(n.took, 0), %(bounds)s::float[]) = b.at
             GROUP BY b.at ORDER BY b.at)
FROM newest
"""
_SALES = """
SELECT s.currency, count(*), sum(s.amount), count(DISTINCT s.contact_id)
FROM crm_sale s
WHERE s.tenant_id = %(tenant)s AND s.status = 'sold'
  AND (%(begin)s::timestamptz IS NULL OR s.closed_at >= %(begin)s) AND s.closed_at < %(end)s
  AND EXISTS (SELECT 1 FROM participants_participant p WHERE p.tenant_id = s.tenant_id
              AND p.contact_id = s.contact_id AND p.flow_id = %(flow)s AND p.enrolled_at <= s.closed_at)
GROUP BY s.currency ORDER BY 3 DESC
"""


@dataclass(frozen=True, slots=True)
class Took:
    """How many took so long; `share` of all, in percent."""

    words: str
    number: int
    share: float
    between: str


@dataclass(frozen=True, slots=True)
class Times:
    """How long the newest successes took."""

    number: int
    median: str
    most: str
    took: Sequence[Took]

    @property
    def is_part(self) -> bool:
        """Whether there are more than were looked at."""
        return self.number >= NEWEST


@dataclass(frozen=True, slots=True)
class Revenue:
    """Sales won in one currency."""

    currency: str
    sales: int
    amount: Decimal
    contacts: int


def times_to_success(*, tenant_id: int, flow_id: int, period: Period, zone: Any) -> Times:
    """Return how long it took from entering to meeting success, for the newest who finished with it; one query."""
    bounds = [0.0, *(float(seconds) for seconds, _ in STEPS if seconds)]
    with raw_cursor() as cursor:
        cursor.execute(
            _TIMES, _asked(tenant_id, flow_id, period, zone) | {"newest": NEWEST, "bounds": bounds}
        )
        number, median, most, counts = cursor.fetchone() or (0, None, None, [])
    lows = [0, *(seconds for seconds, _ in STEPS if seconds)]
    took = [
        Took(words, n, 100 * n / number if number else 0.0, f"{low}-{seconds or ''}")
        for (seconds, words), low, n in zip(STEPS, lows, counts, strict=True)
    ]
    return Times(number, _words(median), _words(most), took)


def revenue(*, tenant_id: int, flow_id: int, period: Period, zone: Any) -> list[Revenue]:
    """Return what participants bought after they had entered, by currency; each sale once; one query."""
    with raw_cursor() as cursor:
        cursor.execute(_SALES, _asked(tenant_id, flow_id, period, zone))
        return [Revenue(*row) for row in cursor.fetchall()]


def _asked(tenant_id: int, flow_id: int, period: Period, zone: Any) -> dict[str, Any]:
    begin, end = span(period.first, period.last, zone)
    return {"tenant": tenant_id, "flow": flow_id, "begin": begin, "end": end}


def _words(seconds: float | None) -> str:
    return duration(dt.timedelta(seconds=float(seconds))) if seconds is not None else ""
