"""Pages of delivery inside a tenant, below content/blocked-addresses/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from delivery.views import blocked, undelivered

app_name = "delivery"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", blocked.blocked, name="blocked"),
    path("undelivered/", undelivered.undelivered, name="undelivered"),
    path("undelivered/again/", undelivered.again, name="try_again"),
    path("unknown/", undelivered.unconfirmed, name="unconfirmed"),
    path("unknown/decide/", undelivered.decide, name="decide"),
    path("block/", blocked.block, name="block"),
    path("export/", blocked.export, name="export_blocked"),
    path("<int:blocked_id>/unblock/", blocked.unblock, name="unblock"),
    path("<int:blocked_id>/former-employee/", blocked.former_employee, name="former_employee"),
]
