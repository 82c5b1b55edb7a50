"""Health endpoints. They say what works, never why not: reasons are in the log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from core.health import Health, current


def live(request: HttpRequest) -> JsonResponse:
    """Answer: a process that can is alive. Asks nobody else, so a broken database does not restart the web."""
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, broker and workers do their work, else 503; numbers in both cases."""
    health = current()
    told = {
        "status": "ready" if health.ready else "not ready",
        "parts": health.parts,
        "numbers": health.numbers,
    }
    return JsonResponse(told, status=200 if health.ready else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the same numbers for Prometheus, measured at the scrape: right with any number of processes."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(current()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Snapshot:
    """One examination as Prometheus collects it."""

    def __init__(self, health: Health) -> None:
        self.health = health

    def collect(self) -> list[GaugeMetricFamily]:
        """Return a gauge for the parts, and one for each number."""
        up = GaugeMetricFamily("millrace_up", "Whether a part works.", labels=["part"])
        for part, state in self.health.parts.items():
            up.add_metric([part], 1.0 if state == "ok" else 0.0)
        numbers = [
            GaugeMetricFamily(f"millrace_{name}", name.replace("_", " ").capitalize() + ".", value=value)
            for name, value in self.health.numbers.items()
        ]
        return [up, *numbers]
