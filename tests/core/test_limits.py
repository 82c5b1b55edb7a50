"""Limits that all processes count together."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as NoRedis

from core.limits import within_limit


def test_a_limit_lets_so_many_pass_and_no_more() -> None:
    assert [within_limit("doors", most=2, seconds=60) for _ in range(4)] == [True, True, False, False]
    assert within_limit("windows", most=2, seconds=60)


def test_a_new_window_begins_when_the_old_one_ran_out() -> None:
    for _ in range(3):
        within_limit("gates", most=1, seconds=60)
    cache.delete("limit:gates")
    assert within_limit("gates", most=1, seconds=60)


def test_without_redis_everything_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> bool:
        raise NoRedis("gone")

    monkeypatch.setattr("core.limits.cache.add", broken)
    assert within_limit("bridges", most=0, seconds=60)
