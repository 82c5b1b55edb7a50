"""Health endpoints: what they say when all is well, and when a part is gone."""

from __future__ import annotations

import time

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from core.health import TICK_KEY


@pytest.fixture
def tick() -> None:
    """A worker ticked just now; the first request, which loads every page's code, has been answered before."""
    Client().get("/health/live")
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.set(TICK_KEY, time.time())


def test_live_asks_nobody(settings: Settings) -> None:
    assert Client().get("/health/live").json() == {"status": "live"}


def test_ready_when_database_broker_and_workers_answer(db: None, tick: None) -> None:
    answer = Client().get("/health/ready")
    told = answer.json()
    assert (answer.status_code, told["status"]) == (200, "ready")
    assert told["parts"] == {"database": "ok", "broker": "ok", "probes": "ok", "workers": "ok"}
    assert told["numbers"]["tick_age_seconds"] < 10


def test_not_ready_when_no_worker_has_ticked_for_a_while(db: None) -> None:
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.set(TICK_KEY, time.time() - 300)
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"]["workers"] == "silent"
    assert answer.json()["numbers"]["tick_age_seconds"] >= 300


def test_not_ready_without_a_broker_and_no_reason_leaks(db: None, settings: Settings) -> None:
    settings.REDIS_URL = "redis://:secret@127.0.0.1:9/0"
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"]["broker"] == "failed"
    assert "secret" not in answer.content.decode()
    assert "127.0.0.1" not in answer.content.decode()


def test_metrics_speak_prometheus(db: None, tick: None, settings: Settings) -> None:
    settings.CELERY_QUEUE = "two-wait-here"
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(settings.CELERY_QUEUE)
        client.rpush(settings.CELERY_QUEUE, "one", "two")
    text = Client().get("/health/metrics").content.decode()
    assert 'millrace_up{part="database"} 1.0' in text
    assert "millrace_tick_age_seconds" in text
    assert "millrace_queue_length 2.0" in text
