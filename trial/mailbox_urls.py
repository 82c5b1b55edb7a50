"""Addresses of the mailbox, outside the tenants."""

from __future__ import annotations

from django.urls import path

from trial.views import mailbox, sms

app_name = "mailbox"
urlpatterns = [
    path("", mailbox.mail_list, name="list"),
    path("empty", mailbox.mail_empty, name="empty"),
    path("sms/", sms.sms_list, name="sms"),
    path("sms/empty", sms.sms_empty, name="sms_empty"),
    path("sms/<slug:sms_id>/reply", sms.sms_reply, name="sms_reply"),
    path("shop/<slug:page>/", mailbox.shop, name="shop"),
    path("<slug:mail_id>/", mailbox.mail_detail, name="detail"),
    path("<slug:mail_id>/html", mailbox.mail_html, name="html"),
    path("<slug:mail_id>/files/<int:number>", mailbox.mail_file, name="file"),
]
