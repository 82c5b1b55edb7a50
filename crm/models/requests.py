"""Requests: what a contact asks of us, who answers it, and what was said."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from core.models import TenantForeignKey, TenantModel
from crm.models.choices import RequestCategory, RequestPriority, RequestType


class Request(TenantModel):
    """A request of a contact; its company is the contact's of the day it was registered.

    Changed by crm.operations.requests and crm.bulk.requests only, which write the events.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        POSTPONED = "postponed", "Postponed"
        CLOSED = "closed", "Closed"

    contact = TenantForeignKey(
        "crm.Contact", on_delete=models.PROTECT, related_name="requests", db_index=False
    )
    company = TenantForeignKey(
        "crm.Company", on_delete=models.PROTECT, null=True, related_name="requests", db_index=False
    )
    title = models.CharField(max_length=200)
    type = TenantForeignKey(RequestType, on_delete=models.PROTECT, related_name="+")
    category = TenantForeignKey(RequestCategory, on_delete=models.PROTECT, related_name="+")
    priority = TenantForeignKey(RequestPriority, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    # Nobody: unassigned.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # What made it, as plain ids: flows and participants lie above, and may go.
    origin = models.CharField(max_length=20)
    flow_id = models.BigIntegerField(null=True)
    participant_id = models.BigIntegerField(null=True)
    # Given by the form that makes it, so that a form sent twice makes one request.
    form_key = models.UUIDField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "form_key"], name="request_of_form_once"),
            models.CheckConstraint(
                name="a_closed_request_says_when",
                condition=models.Q(status="closed", closed_at__isnull=False)
                | (~models.Q(status="closed") & models.Q(closed_at=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="request_newest"),
            models.Index(fields=["tenant", "status", "-id"], name="request_by_status"),
            models.Index(fields=["tenant", "owner", "-id"], name="request_of_owner"),
            models.Index(fields=["tenant", "contact", "-id"], name="request_of_contact"),
            models.Index(fields=["tenant", "company", "-id"], name="request_of_company"),
        ]

    def __str__(self) -> str:
        return self.title


class RequestMessage(TenantModel):
    """One entry of a request's log."""

    class Kind(models.TextChoices):
        MESSAGE = "message", "Message"
        NOTE = "note", "Internal note"

    request = TenantForeignKey(Request, on_delete=models.CASCADE, related_name="messages", db_index=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MESSAGE)
    body = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    origin = models.CharField(max_length=20)
    form_key = models.UUIDField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "form_key"], name="request_message_of_form_once")
        ]
        indexes = [models.Index(fields=["tenant", "request", "at", "id"], name="request_log")]
