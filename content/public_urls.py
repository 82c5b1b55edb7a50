"""Addresses in mails that lead to content."""

from __future__ import annotations

from django.urls import URLPattern, path

from content.views import recipients

app_name = "mail_content"
urlpatterns: list[URLPattern] = [
    path("c/<str:token>/<int:number>", recipients.click, name="click"),
    path("v/<str:token>", recipients.view_in_browser, name="view"),
]
