"""Clock times in every zone there is, most of all on days when clocks change, against walking through the minutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.localtime import moment
from core.timeframe import Window, counts, next_open, window
from crm.criteria.dates import day_starts
from flows import waiting

NAMES = sorted(available_timezones() - {"localtime", "Factory", "posixrules"})
YEARS = (2011, 2018, 2024, 2026, 2027)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
NONE: frozenset[dt.date] = frozenset()


@cache
def zone_and_days(name: str) -> tuple[ZoneInfo, tuple[dt.date, ...]]:
    """Return a zone with the days around its clock changes, and a day without."""
    zone = ZoneInfo(name)
    days = [dt.date(2026, 6, 15)]
    for year in YEARS:
        noon = dt.datetime(year, 1, 1, 12, tzinfo=dt.UTC)
        for n in range(365):
            at = noon + n * DAY
            if at.astimezone(zone).utcoffset() != (at + DAY).astimezone(zone).utcoffset():
                days += [(at + k * DAY).date() for k in (-1, 0, 1, 2)]
    return zone, tuple(days)


@st.composite
def places(draw: st.DrawFn) -> tuple[ZoneInfo, dt.date]:
    """A zone and a day, likely one on which something happens."""
    zone, days = zone_and_days(draw(st.sampled_from(NAMES)))
    return zone, draw(st.sampled_from(days))


clocks = st.builds(dt.time, st.integers(0, 23), st.sampled_from([0, 1, 15, 29, 30, 45, 59]))
near_midnight = st.sampled_from(
    [dt.time(0), dt.time(0, 30), dt.time(1), dt.time(2, 30), dt.time(3), dt.time(23, 45)]
)


def minutes(day: dt.date) -> Iterator[dt.datetime]:
    """Yield the minutes of everywhere's day: from Kiritimati's midnight to Baker Island's next one."""
    at = dt.datetime.combine(day, dt.time(), dt.UTC) - 15 * HOUR
    for _ in range(56 * 60):
        yield at
        at += MINUTE


def by_walking(day: dt.date, clock: dt.time, zone: ZoneInfo) -> dt.datetime:
    """Find the first minute that shows the time, or that shows more when none does."""
    wanted = dt.datetime.combine(day, clock)
    shown = [(at, at.astimezone(zone).replace(tzinfo=None)) for at in minutes(day)]
    exact = [at for at, local in shown if local == wanted]
    if exact:
        return exact[0]
    jumps = [b for (_, was), (b, local) in pairwise(shown) if was < wanted < local]
    return jumps[0]


@settings(max_examples=120, deadline=None)
@given(places(), st.one_of(clocks, near_midnight))
def test_a_clock_time_is_its_first_minute_or_the_end_of_the_gap(
    place: tuple[ZoneInfo, dt.date], clock: dt.time
) -> None:
    zone, day = place
    assert moment(day, clock, zone) == by_walking(day, clock, zone)


@settings(max_examples=60, deadline=None)
@given(places())
def test_a_day_begins_with_its_first_minute(place: tuple[ZoneInfo, dt.date]) -> None:
    zone, day = place
    inside = [at for at in minutes(day) if at.astimezone(zone).date() == day]
    if inside:  # Samoa left out the 30th of December 2011
        assert day_starts(day, zone) == inside[0]


@given(places(), clocks, st.integers(1, 30), st.sampled_from(["days", "weeks", "workdays"]))
def test_a_wait_in_days_keeps_the_clock_time(
    place: tuple[ZoneInfo, dt.date], clock: dt.time, amount: int, unit: waiting.Unit
) -> None:
    zone, day = place
    arrival = moment(day, clock, zone)
    local = arrival.astimezone(zone)
    found = waiting.after(arrival, amount, unit, zone, NONE)
    if unit == "workdays":
        passed = [local.date() + n * DAY for n in range(1, 100)]
        last = [one for one in passed if one.weekday() < 5][amount - 1]
    else:
        last = local.date() + amount * DAY * (7 if unit == "weeks" else 1)
    assert found == by_walking(last, local.time().replace(fold=0), zone)


@given(places(), clocks, st.integers(0, 100_000), st.sampled_from(["minutes", "hours"]))
def test_minutes_and_hours_are_elapsed_whatever_the_clocks_do(
    place: tuple[ZoneInfo, dt.date], clock: dt.time, amount: int, unit: waiting.Unit
) -> None:
    zone, day = place
    arrival = moment(day, clock, zone)
    step = MINUTE if unit == "minutes" else HOUR
    assert waiting.after(arrival, amount, unit, zone, NONE) - arrival == amount * step


windows = st.builds(
    Window,
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    start=clocks,
    to=clocks,
    workdays_only=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(places(), clocks, windows, st.frozensets(st.integers(-3, 10), max_size=5))
def test_a_message_goes_at_the_first_moment_of_a_window(
    place: tuple[ZoneInfo, dt.date], clock: dt.time, timeframe: Window, off: frozenset[int]
) -> None:
    zone, day = place
    holidays = frozenset(day + n * DAY for n in off)
    at = moment(day, clock, zone)
    found = next_open(timeframe, at, zone, holidays)
    assert found >= at
    around = [at.astimezone(zone).date() + n * DAY for n in range(-2, 40)]
    spans = [window(timeframe, one, zone) for one in around if counts(timeframe, one, holidays)]
    expected = min(max(at, opens) for opens, closes in spans if opens < closes and closes > at)
    assert found == expected


@pytest.mark.parametrize(
    ("day", "offset"), [(dt.date(9999, 12, 31), 1), (dt.date(9999, 12, 31), 400), (dt.date(1, 1, 1), -1)]
)
@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_days_beyond_the_calendar_are_its_ends(day: dt.date, offset: int, name: str) -> None:
    found = waiting.around(day, offset, dt.time(23, 59), ZoneInfo(name))
    assert found.year in {1, 9999}
    # Every page may show it in any zone.
    assert all(found.astimezone(ZoneInfo(other)) for other in ("Pacific/Kiritimati", "Pacific/Pago_Pago"))
