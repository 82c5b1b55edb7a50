"""Public addresses of forms, below f/."""

from __future__ import annotations

from django.urls import URLPattern, path

from content.views import form_embeds, public_forms

app_name = "public_form"
urlpatterns: list[URLPattern] = [
    path("confirm/<str:token>/", public_forms.confirm, name="confirm"),
    path("<str:token>/", public_forms.fill_in, name="form"),
    path("<str:token>/embed.js", form_embeds.script, name="embed"),
    path("<str:token>/style.css", form_embeds.sheet, name="style"),
    path("<str:token>/progress/", public_forms.progress, name="progress"),
    path("<str:token>/thanks/", public_forms.thanks, name="thanks"),
    path("<str:token>/check/", public_forms.check, name="check"),
]
