"""Forms and what people sent with them. Answers are personal data."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import TenantForeignKey, TenantModel


class Form(TenantModel):
    """A form with a public page. `document` is a content.forms.document.FormDocument.

    Its messages (confirmations, responses) go by a stream of its own. `confirmation` is the email of the double opt-in,
    made from the document at each save. `managed_by` None: only administrators process what comes in.
    """

    name = models.CharField(max_length=120)
    managed_by = TenantForeignKey("accounts.Group", on_delete=models.SET_NULL, null=True, related_name="+")
    document = models.JSONField(default=dict)
    is_open = models.BooleanField(default=False)
    closes_at = models.DateTimeField(null=True, blank=True)
    closes_after = models.PositiveIntegerField(null=True, blank=True)
    stream = TenantForeignKey("delivery.Stream", on_delete=models.PROTECT, related_name="+")
    confirmation = TenantForeignKey("content.Email", on_delete=models.PROTECT, null=True, related_name="+")
    revision = models.IntegerField(default=0)
    # Statistics show nothing that was before.
    counted_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="form_name_once", condition=Q(deleted_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FormSubmission(TenantModel):
    """One sent form. `key` came with the page, so the same page sent twice is one submission.

    `answers` are by field key, `wording` is what people read beside each field then. A submission is dated by
    `submitted_at`; with double opt-in it waits for its confirmation until `expires_at`.
    """

    class Status(models.TextChoices):
        AWAITING = "awaiting", "Awaiting confirmation"
        SUBMITTED = "submitted", "Needs processing"
        PROCESSED = "processed", "Processed"
        FAILED = "failed", "Failed"
        REJECTED = "rejected", "Rejected"

    form = TenantForeignKey(Form, on_delete=models.PROTECT, related_name="submissions")
    key = models.UUIDField()
    status = models.CharField(max_length=20, choices=Status)
    answers = models.JSONField(default=dict)
    wording = models.JSONField(default=dict)
    email_norm = models.CharField(max_length=320, blank=True, db_collation="C")
    contact = TenantForeignKey("crm.Contact", on_delete=models.PROTECT, null=True, related_name="+")
    ip_hash = models.CharField(max_length=64, blank=True)
    message_id = models.BigIntegerField(null=True)
    message_day = models.DateField(null=True)
    submitted_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    processed_at = models.DateTimeField(null=True)
    processed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    error = models.CharField(max_length=500, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "form", "key"], name="form_submission_once"),
            models.CheckConstraint(
                name="processed_with_contact_and_moment",
                condition=~Q(status="processed") | Q(processed_at__isnull=False, contact__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "form", "status", "submitted_at", "id"], name="submissions_of_form"
            ),
            models.Index(
                fields=["tenant", "submitted_at", "id"],
                name="submissions_waiting",
                condition=Q(status__in=["submitted", "failed"]),
            ),
            models.Index(fields=["tenant", "contact"], name="submissions_of_contact"),
            models.Index(fields=["tenant", "email_norm"], name="submissions_of_address"),
        ]


class FormFile(TenantModel):
    """A file that came with a submission, in a table of its own: lists never read it, and nothing ever runs it."""

    submission = TenantForeignKey(FormSubmission, on_delete=models.CASCADE, related_name="files")
    key = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=100)
    size = models.IntegerField()
    data = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "submission", "key"], name="form_file_once"),
        ]
