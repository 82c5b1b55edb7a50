"""A batch takes as many as take about a second."""

from __future__ import annotations

from participants.engine.pace import FEWEST, Pace


def test_a_slow_batch_halves_the_next_and_a_quick_one_doubles_it_up_to_the_most() -> None:
    pace = Pace(most=2_000)
    sizes = []
    for seconds in (8.0, 8.0, 1.25, 0.1, 0.1, 0.1):
        pace.took(seconds, number=pace.size)
        sizes.append(pace.size)
    assert sizes == [1_000, 500, 400, 800, 1_600, 2_000]


def test_a_batch_that_was_not_full_says_nothing_and_there_is_a_fewest() -> None:
    pace = Pace(most=2_000)
    pace.took(30.0, number=3)
    assert pace.size == 2_000
    for _ in range(20):
        pace.took(60.0, number=pace.size)
    assert pace.size == FEWEST
