"""Work of those who wait at the same time is done once for all of them, and nobody pays for another's fault."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.combining import Combiner


class Bench:
    """Work that waits until the test lets it go, and keeps what it was given."""

    def __init__(self, answer: Callable[[Sequence[int]], Sequence[int | None]] | None = None) -> None:
        self.given: list[list[int]] = []
        self.begun, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.answer = answer or (lambda items: [item * 10 for item in items])

    def __call__(self, items: Sequence[int]) -> Sequence[int | None]:
        self.given.append(list(items))
        self.begun.release()
        assert self.go.acquire(timeout=20)
        return self.answer(items)


def waiting(combiner: Combiner[int, int], key: str) -> int:
    return len(combiner._lines.get(key, []))


def until(said: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(2_000):
        if said():
            return
        pause.wait(0.01)
    raise AssertionError("It never came to that.")


def test_who_comes_while_others_wait_for_the_disk_shares_the_next_work() -> None:
    bench = Bench()
    combiner: Combiner[int, int] = Combiner(bench)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(combiner, "a", 1)
        assert bench.begun.acquire(timeout=20)
        others = [pool.submit(combiner, "a", number) for number in (2, 3, 4, 5)]
        until(lambda: waiting(combiner, "a") == 4)
        assert not first.done()
        bench.go.release(2)
        assert first.result(20) == 10
        assert sorted(other.result(20) or 0 for other in others) == [20, 30, 40, 50]
    assert [sorted(items) for items in bench.given] == [[1], [2, 3, 4, 5]]
    assert combiner._lines == {}


def test_tenants_do_not_wait_for_each_other_and_no_work_is_larger_than_it_may_be() -> None:
    bench = Bench()
    combiner: Combiner[int, int] = Combiner(bench, most=2)
    with ThreadPoolExecutor(6) as pool:
        pool.submit(combiner, "a", 1)
        pool.submit(combiner, "b", 2)
        # Both are at work at the same time.
        assert bench.begun.acquire(timeout=20)
        assert bench.begun.acquire(timeout=20)
        for number in (3, 4, 5):
            pool.submit(combiner, "a", number)
        until(lambda: waiting(combiner, "a") == 3)
        bench.go.release(4)
    assert sorted(len(items) for items in bench.given) == [1, 1, 1, 2]


def test_an_error_is_raised_to_one_alone_and_lets_each_of_several_do_it_alone() -> None:
    def refuse(items: Sequence[int]) -> Sequence[int | None]:
        if 13 in items:
            raise ValueError("not this one")
        return [None if item == 7 else item for item in items]

    bench = Bench(refuse)
    combiner: Combiner[int, int] = Combiner(bench)
    bench.go.release(100)
    with pytest.raises(ValueError, match="not this one"):
        combiner("a", 13)
    assert (combiner("a", 7), combiner("a", 8)) == (None, 8)

    slow = Bench(refuse)
    combiner = Combiner(slow)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(combiner, "a", 1)
        assert slow.begun.acquire(timeout=20)
        others = [pool.submit(combiner, "a", number) for number in (2, 13, 3)]
        until(lambda: waiting(combiner, "a") == 3)
        slow.go.release(2)
        assert first.result(20) == 1
        assert [other.result(20) for other in others] == [None, None, None]
    # And the line is open again.
    slow.go.release()
    assert combiner("a", 4) == 4


def test_everybody_gets_what_is_theirs_however_many_come_at_once() -> None:
    busy, most = 0, 0

    def square(items: Sequence[int]) -> Sequence[int]:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        threading.Event().wait(0.001)
        busy -= 1
        return [item * item for item in items]

    combiner: Combiner[int, int] = Combiner(square, most=5)
    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda number: combiner("a", number), range(500)))
    assert got == [number * number for number in range(500)]
    assert most == 1
    assert combiner._lines == {}
