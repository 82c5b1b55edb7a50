"""The Celery application. Tasks only wake things: the truth is in PostgreSQL (docs/architecture.md)."""

from __future__ import annotations

import os

from celery import Celery

from config import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# A killed worker's tasks come back after restore_interval, not after the default hour's visibility.
VISIBILITY_TIMEOUT = 60

app = Celery("millrace")
app.config_from_object(
    {
        "broker_url": os.environ.get("REDIS_URL", ""),
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
        },
        "broker_connection_retry_on_startup": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        # Python keeps what a large piece of work took: a process that has grown so far is replaced after its task.
        "worker_max_memory_per_child": env.number("MILLRACE_WORKER_MEMORY_MIB", 300, least=64, most=1_000_000)
        * 1024,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_hijack_root_logger": False,
        "task_default_queue": "millrace",
    }
)
app.autodiscover_tasks(["core", "crm", "delivery", "flows", "participants", "content", "reporting"])
app.set_default()

from config import memory as memory  # noqa: E402  (connects the worker's signals)
from config import ticker as ticker  # noqa: E402  (connects the worker's signals; needs the app)
