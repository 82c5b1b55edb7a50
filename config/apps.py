from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Makes the Celery application known to every process, so that `delay` finds the broker."""

    name = "config"

    def ready(self) -> None:
        from config import celery as celery
