"""Pages of the trial inside a tenant."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from trial.views import clock

app_name = "trial"
urlpatterns: list[URLPattern | URLResolver] = [path("clock/advance", clock.advance, name="advance_clock")]
