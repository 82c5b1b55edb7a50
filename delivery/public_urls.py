"""Addresses in mails. Short, because a mail holds dozens; everything else below /m/ is not found."""

from __future__ import annotations

from django.urls import URLPattern, path

from delivery.views import provider_events, recipients, sms

app_name = "mail"
urlpatterns: list[URLPattern] = [
    path("o/<str:token>", recipients.open_pixel, name="open"),
    path("u/<str:token>", recipients.unsubscribe, name="unsubscribe"),
    path("p/<str:token>", recipients.preferences, name="preferences"),
    path("e/<str:token>", provider_events.events, name="provider_events"),
    path("s/<str:token>", sms.status, name="sms_status"),
    path("r/<str:token>", sms.reply, name="sms_reply"),
    path("<path:path>", recipients.missing, name="missing"),
]
