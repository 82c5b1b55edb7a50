"""Pages of the CRM under /t/<slug>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from crm.views import criteria

app_name = "crm"
urlpatterns: list[URLPattern | URLResolver] = [
    path("contacts/criteria/", criteria.edit, name="criteria-edit"),
    path("contacts/criteria/count/", criteria.count, name="criteria-count"),
]
