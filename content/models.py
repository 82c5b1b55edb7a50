"""Emails and the texts of SMS, their immutable versions, the links in them, and what locks them.

Other content has files of its own.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from content.models_attachment import Attachment as Attachment
from content.models_attachment import StoredFile as StoredFile
from content.models_attachment import StoredPiece as StoredPiece
from content.models_brand import Brand as Brand
from content.models_failure import ScriptFailure as ScriptFailure
from content.models_form import Form as Form
from content.models_form import FormFile as FormFile
from content.models_form import FormSubmission as FormSubmission
from content.models_image import Image as Image
from content.models_image import ImageData as ImageData
from content.models_link import TrackedLink as TrackedLink
from content.models_script import Script as Script
from content.models_script import ScriptVersion as ScriptVersion
from content.models_visit import FormVisit as FormVisit
from content.models_webhook import WebhookVersion as WebhookVersion
from core.models import HotTenantModel, TenantForeignKey, TenantModel


class Email(TenantModel):
    """An email as it is being written. Belongs to one flow (flow_id, a plain id: flows lie above) or to none."""

    name = models.CharField(max_length=120)
    flow_id = models.BigIntegerField(null=True, blank=True)
    subject = models.CharField(max_length=400, blank=True)
    preheader = models.CharField(max_length=400, blank=True)
    mjml = models.TextField(blank=True)
    text = models.TextField(blank=True)
    text_is_own = models.BooleanField(default=False)
    language = models.CharField(max_length=10, blank=True)
    revision = models.IntegerField(default=0)
    # Made by the system from a form's own words: no library shows it, nobody edits it.
    is_internal = models.BooleanField(default=False)
    current = TenantForeignKey(
        "content.EmailVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "flow_id", "name"], name="email_of_flow")]

    def __str__(self) -> str:
        return self.name


class EmailVariant(TenantModel):
    """An email in one more language, for the contacts of that language; the email itself is what all others get.

    It has what an email has that is written; name, flow, revision and locks are the email's. `current` is never empty:
    a variant begins as a copy of what can be sent.
    """

    email = TenantForeignKey(Email, on_delete=models.CASCADE, related_name="variants")
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=400, blank=True)
    preheader = models.CharField(max_length=400, blank=True)
    mjml = models.TextField(blank=True)
    text = models.TextField(blank=True)
    text_is_own = models.BooleanField(default=False)
    current = TenantForeignKey("content.EmailVersion", on_delete=models.PROTECT, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "email", "language"], name="email_variant_once")
        ]


class EmailVersion(TenantModel):
    """What was compiled at one save: source, subject, and the Jinja2 templates that sending renders. Immutable.

    `language` is that of the variant that was saved; "" for the email itself.
    """

    email = TenantForeignKey(Email, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    language = models.CharField(max_length=10, blank=True, default="")
    subject = models.CharField(max_length=400)
    preheader = models.CharField(max_length=400, blank=True)
    mjml = models.TextField()
    html = models.TextField()
    text = models.TextField()
    # Keys of the custom fields that its merge tags name, as "contact.size": rendering reads only these.
    custom_keys = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "email", "number"], name="email_version_once")
        ]


class EmailLock(TenantModel):
    """An email that a running flow uses: nobody edits it until that flow is paused or ended.

    The flow writes its locks when it starts and takes them away when it pauses or ends (content.operations.locks).
    """

    email = TenantForeignKey(Email, on_delete=models.CASCADE, related_name="locks")
    flow_id = models.BigIntegerField()
    flow_name = models.CharField(max_length=120)
    url = models.CharField(max_length=300, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "email", "flow_id"], name="email_lock_once")]
        indexes = [models.Index(fields=["tenant", "flow_id"], name="email_locks_of_flow")]


class SmsVersion(TenantModel):
    """What one step's SMS said from one change to the next: source, template, links. Immutable.

    The step (a plain id: flows lie above) is what an email is to its versions: the newest one is sent. `links` are
    [{"url", "registered" (a TrackedLink's id or null), "key"}] in the order of their numbers, over all languages.
    `variants` are [{"language", "source", "text"}] for contacts of these languages.
    """

    step_id = models.UUIDField()
    number = models.IntegerField()
    source = models.TextField()
    text = models.TextField()
    variants = models.JSONField(default=list)
    links = models.JSONField(default=list)
    custom_keys = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "step_id", "number"], name="sms_version_once")
        ]


class NoticeVersion(TenantModel):
    """What one step's mail to colleagues said from one change to the next. Immutable; no links are tracked in it.

    The step (a plain id: flows lie above) is what an email is to its versions: the newest one is sent.
    """

    step_id = models.UUIDField()
    number = models.IntegerField()
    subject = models.CharField(max_length=400)
    text = models.TextField()
    custom_keys = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "step_id", "number"], name="notice_version_once")
        ]


class MessageLink(HotTenantModel):
    """A link of one version: its position, and its address (a Jinja2 text where it holds merge tags), or the
    registered link that it is."""

    version = TenantForeignKey(EmailVersion, on_delete=models.DO_NOTHING, related_name="links", hot=True)
    registered = TenantForeignKey(
        TrackedLink, on_delete=models.DO_NOTHING, null=True, related_name="+", hot=True
    )
    number = models.IntegerField()
    url = models.TextField()
    label = models.CharField(max_length=200, blank=True)

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "version", "number"], name="message_link_once")
        ]
