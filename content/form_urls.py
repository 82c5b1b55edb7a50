"""Public addresses of forms, below f/."""

from __future__ import annotations

from django.urls import URLPattern, path

from content.views import public_forms

app_name = "public_form"
urlpatterns: list[URLPattern] = [
    path("confirm/<str:token>/", public_forms.confirm, name="confirm"),
    path("<str:token>/", public_forms.fill_in, name="form"),
    path("<str:token>/thanks/", public_forms.thanks, name="thanks"),
    path("<str:token>/check/", public_forms.check, name="check"),
]
