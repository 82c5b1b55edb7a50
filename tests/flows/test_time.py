"""Time in a flow: DST, workdays, timeframes over midnight. Pure functions, so properties can be tried widely."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.localtime import moment
from flows import waiting
from flows.document import Timeframe
from flows.timeframe import NeverOpens, counts, is_open, next_open

OSLO = ZoneInfo("Europe/Oslo")
ZONES = [
    ZoneInfo(name)
    for name in ("Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata")
]
NONE: frozenset[dt.date] = frozenset()
first, last = dt.datetime(2024, 1, 1), dt.datetime(2028, 1, 1)  # noqa: DTZ001 - hypothesis wants them naive
moments = st.datetimes(first, last).map(lambda at: at.replace(tzinfo=dt.UTC))
zones = st.sampled_from(ZONES)
clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
holidays = st.frozensets(st.dates(dt.date(2024, 1, 1), dt.date(2028, 1, 1)), max_size=20)
timeframes = st.builds(
    Timeframe,
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    start=clocks,
    to=clocks,
    workdays_only=st.just(False),
)


def oslo(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=OSLO).astimezone(dt.UTC)


def test_a_time_inside_the_gap_is_the_first_moment_after_it() -> None:
    assert moment(dt.date(2026, 3, 29), dt.time(2, 30), OSLO) == dt.datetime(2026, 3, 29, 1, 0, tzinfo=dt.UTC)


def test_a_time_that_comes_twice_is_the_first() -> None:
    assert moment(dt.date(2026, 10, 25), dt.time(2, 30), OSLO) == dt.datetime(
        2026, 10, 25, 0, 30, tzinfo=dt.UTC
    )


@given(st.dates(dt.date(2024, 1, 1), dt.date(2028, 1, 1)), clocks, zones)
def test_a_moment_shows_the_wanted_time_or_the_end_of_a_gap(
    day: dt.date, clock: dt.time, zone: ZoneInfo
) -> None:
    found = moment(day, clock, zone).astimezone(zone).replace(tzinfo=None)
    wanted = dt.datetime.combine(day, clock)
    assert found == wanted or dt.timedelta() < found - wanted <= dt.timedelta(hours=1)


def test_minutes_and_hours_are_elapsed_time() -> None:
    before = oslo("2026-03-29T00:30")
    assert waiting.after(before, 3, "hours", OSLO, NONE) == oslo("2026-03-29T04:30")
    assert waiting.after(before, 30, "minutes", OSLO, NONE) == oslo("2026-03-29T01:00")


def test_days_and_weeks_keep_the_clock_time_over_a_change_of_clocks() -> None:
    assert waiting.after(oslo("2026-03-28T09:00"), 1, "days", OSLO, NONE) == oslo("2026-03-29T09:00")
    assert waiting.after(oslo("2026-10-20T09:00"), 1, "weeks", OSLO, NONE) == oslo("2026-10-27T09:00")


def test_workdays_leave_out_weekends_holidays_and_the_day_of_arrival() -> None:
    friday = oslo("2026-04-03T14:00")
    easter_monday = frozenset({dt.date(2026, 4, 6)})
    assert waiting.after(friday, 1, "workdays", OSLO, NONE) == oslo("2026-04-06T14:00")
    assert waiting.after(friday, 1, "workdays", OSLO, easter_monday) == oslo("2026-04-07T14:00")
    assert waiting.after(friday, 5, "workdays", OSLO, easter_monday) == oslo("2026-04-13T14:00")


@given(moments, st.integers(0, 400), st.sampled_from(["minutes", "hours", "days", "weeks"]), zones)
def test_a_longer_wait_never_ends_earlier(
    at: dt.datetime, amount: int, unit: waiting.Unit, zone: ZoneInfo
) -> None:
    assert waiting.after(at, amount, unit, zone, NONE) <= waiting.after(at, amount + 1, unit, zone, NONE)


@given(moments, st.integers(1, 60), zones, holidays)
def test_a_wait_of_workdays_ends_on_a_workday(
    at: dt.datetime, amount: int, zone: ZoneInfo, days: frozenset[dt.date]
) -> None:
    start = at.astimezone(zone).date()
    end = waiting.nth_workday(start, amount, days)
    between = [start + dt.timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(day.weekday() < 5 and day not in days for day in between) == amount
    assert end.weekday() < 5


def test_a_wait_around_a_date_counts_days_before_and_after() -> None:
    assert waiting.around(dt.date(2026, 3, 1), -1, dt.time(9), OSLO) == oslo("2026-02-28T09:00")
    assert waiting.around(dt.date(2026, 3, 1), 3, dt.time(9), OSLO) == oslo("2026-03-04T09:00")


def test_the_end_of_a_timeframe_is_not_in_it() -> None:
    frame = Timeframe(start=dt.time(8), to=dt.time(17))
    assert is_open(frame, oslo("2026-11-18T08:00"), OSLO, NONE)
    assert is_open(frame, oslo("2026-11-18T16:59"), OSLO, NONE)
    assert not is_open(frame, oslo("2026-11-18T17:00"), OSLO, NONE)
    assert next_open(frame, oslo("2026-11-18T17:00"), OSLO, NONE) == oslo("2026-11-19T08:00")


def test_friday_evening_waits_for_monday_and_a_holiday_for_the_day_after() -> None:
    frame = Timeframe(start=dt.time(8), to=dt.time(17))
    monday = frozenset({dt.date(2026, 11, 23)})
    assert next_open(frame, oslo("2026-11-20T18:00"), OSLO, NONE) == oslo("2026-11-23T08:00")
    assert next_open(frame, oslo("2026-11-20T18:00"), OSLO, monday) == oslo("2026-11-24T08:00")
    anyway = frame.model_copy(update={"workdays_only": False})
    assert next_open(anyway, oslo("2026-11-20T18:00"), OSLO, monday) == oslo("2026-11-23T08:00")


def test_a_window_over_midnight_belongs_to_the_day_it_began() -> None:
    fridays = Timeframe(weekdays=(4,), start=dt.time(22), to=dt.time(2), workdays_only=True)
    assert is_open(fridays, oslo("2026-11-21T01:30"), OSLO, NONE), (
        "Saturday at 01:30 is still Friday's window"
    )
    assert not is_open(fridays, oslo("2026-11-20T01:30"), OSLO, NONE), "Friday at 01:30 would be Thursday's"
    assert not is_open(fridays, oslo("2026-11-21T01:30"), OSLO, frozenset({dt.date(2026, 11, 20)}))
    assert is_open(fridays, oslo("2026-11-21T01:30"), OSLO, frozenset({dt.date(2026, 11, 21)}))


@given(timeframes, moments, zones, holidays)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    frame: Timeframe, at: dt.datetime, zone: ZoneInfo, days: frozenset[dt.date]
) -> None:
    opens = next_open(frame, at, zone, days)
    assert opens >= at
    assert is_open(frame, opens, zone, days)
    if opens > at:
        assert not is_open(frame, at, zone, days)
        assert not is_open(frame, at + (opens - at) / 2, zone, days)


@given(timeframes, st.dates(dt.date(2024, 1, 1), dt.date(2028, 1, 1)), holidays)
def test_a_day_that_is_not_chosen_or_is_a_holiday_opens_no_window(
    frame: Timeframe, day: dt.date, days: frozenset[dt.date]
) -> None:
    workdays = frame.model_copy(update={"workdays_only": True})
    assert counts(workdays, day, days) == (day.weekday() in frame.weekdays and day not in days)


def test_a_weekend_that_is_chosen_counts_also_without_holidays() -> None:
    weekend = Timeframe(weekdays=(5, 6), start=dt.time(8), to=dt.time(17), workdays_only=True)
    saturday = dt.date(2026, 11, 21)
    assert next_open(weekend, oslo("2026-11-18T08:00"), OSLO, NONE) == oslo("2026-11-21T08:00")
    assert next_open(weekend, oslo("2026-11-18T08:00"), OSLO, frozenset({saturday})) == oslo(
        "2026-11-22T08:00"
    )


def test_a_timeframe_without_days_never_opens() -> None:
    with pytest.raises(NeverOpens):
        next_open(Timeframe(weekdays=()), oslo("2026-11-18T08:00"), OSLO, NONE)
