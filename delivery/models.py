"""Messages, the streams that hold or let them go, and addresses nobody may write to."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q, Value

from core.models import HotTenantModel, TenantForeignKey, TenantModel
from delivery.models_sending import ChannelHold as ChannelHold
from delivery.models_sending import EmailConnector as EmailConnector
from delivery.models_sending import Pace as Pace
from delivery.models_sending import SenderDomain as SenderDomain
from delivery.models_sending import SendingRules as SendingRules
from delivery.models_webhook import OutgoingWebhook as OutgoingWebhook
from delivery.models_webhook import WebhookSecret as WebhookSecret


class Stream(TenantModel):
    """A valve and the settings of all messages behind it. A flow owns one and turns it in the transaction of its
    own status; `send` looks only here. Message settings count for everyone from the save, so they live here too.

    `epoch` rises with every closing: a message of an earlier epoch is cancelled, also when the stream reopens.
    `sender` is {"sender": {"source", "name", "email"}, "reply_to": {"source", "name", "email"}} as the flow's document
    has them, and {"sms": sender}; `utm` {"source", "campaign"}, `exclusions` the selections whose members get nothing.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        HELD = "held", "Held"
        CLOSED = "closed", "Closed"

    name = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    timeframe = models.JSONField(null=True)
    timezone = models.CharField(max_length=60, default="UTC")
    subscription_type = TenantForeignKey(
        "crm.SubscriptionType", on_delete=models.PROTECT, null=True, related_name="+"
    )
    override_consent = models.BooleanField(default=False)
    sender = models.JSONField(default=dict)
    utm = models.JSONField(default=dict)
    exclusions = models.JSONField(default=list)
    epoch = models.IntegerField(default=0)
    served_at = models.DateTimeField(null=True)
    # The one stream of a tenant that belongs to no flow: test sends.
    is_for_tests = models.BooleanField(default=False)
    # Where all flows' notes went before each flow had a stream for its own: nothing new comes here.
    is_for_colleagues = models.BooleanField(default=False)
    # Notes of a flow to the tenant's own people: turned with the flow's stream, without its timeframe and settings.
    notes_of = TenantForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], name="one_stream_for_tests", condition=Q(is_for_tests=True)
            ),
            models.UniqueConstraint(
                fields=["tenant"], name="one_stream_for_colleagues", condition=Q(is_for_colleagues=True)
            ),
            models.UniqueConstraint(fields=["tenant", "notes_of"], name="one_stream_for_notes"),
        ]
        indexes = [models.Index(fields=["tenant", "state", "served_at"], name="stream_turns")]

    def __str__(self) -> str:
        return self.name


class Message(HotTenantModel):
    """One message to one address. Partitioned by `enrolled_on`: the participant's, or the day it was made; primary
    key in the database (enrolled_on, id). Holds what to render (version + merge values), never the body."""

    class Channel(models.TextChoices):
        EMAIL = "email", "Email"
        SMS = "sms", "SMS"

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        OPENED = "opened", "Opened"
        CLICKED = "clicked", "Clicked"
        SOFT_BOUNCED = "soft_bounced", "Soft bounce"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Complained"
        BLOCKED = "blocked", "Blocked"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown"

    id = models.BigAutoField(primary_key=True)
    enrolled_on = models.DateField()
    uuid = models.UUIDField(default=uuid.uuid4)
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL)
    status = models.CharField(max_length=20, choices=Status, default=Status.QUEUED)
    reason = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    stream = TenantForeignKey(Stream, on_delete=models.DO_NOTHING, related_name="+", hot=True)
    epoch = models.IntegerField(default=0)
    contact_id = models.BigIntegerField(null=True)
    flow_id = models.BigIntegerField(null=True)
    step_id = models.UUIDField(null=True)
    participant_id = models.BigIntegerField(null=True)
    visit_number = models.IntegerField(null=True)
    content_version_id = models.BigIntegerField()
    to_address = models.CharField(max_length=320)
    # What the provider calls it (Twilio, or an email provider), for asking them about it.
    provider_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    values = models.JSONField(default=dict)
    is_marketing = models.BooleanField(default=True)
    is_test = models.BooleanField(default=False)
    queued_at = models.DateTimeField()
    send_at = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    # Why it must not go (again): its participant left, its step was removed. Kept beside the status, because what is
    # being handed over, or was given up, is still open: it is neither put off nor tried again.
    withdrawn = models.CharField(max_length=60, blank=True, default="", db_default="")
    reserved_by = models.BigIntegerField(null=True)
    handed_at = models.DateTimeField(null=True)
    first_opened_at = models.DateTimeField(null=True)
    first_clicked_at = models.DateTimeField(null=True)

    class Meta(HotTenantModel.Meta):
        indexes = [
            models.Index(
                fields=["tenant", "stream", "send_at", "id"],
                name="message_queued",
                condition=Q(status="queued", reserved_by=None),
            ),
            models.Index(
                fields=["tenant", "reserved_by"],
                name="message_reserved",
                condition=Q(reserved_by__isnull=False),
            ),
            models.Index(fields=["tenant", "contact_id", "-id"], name="message_of_contact"),
            models.Index(fields=["tenant", "flow_id", "step_id", "status"], name="message_of_step"),
            models.Index(fields=["tenant", "-id"], name="message_test", condition=Q(is_test=True)),
            models.Index(
                fields=["tenant", "-id"],
                name="message_given_up",
                condition=Q(status__in=["failed", "soft_bounced"], is_test=False),
            ),
            models.Index(
                fields=["tenant", "-id"], name="message_unknown", condition=Q(status="unknown", is_test=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolled_on", "participant_id", "visit_number"], name="one_message_a_visit"
            ),
        ]


class SmsConnector(TenantModel):
    """The tenant's account at Twilio, one a tenant. The auth token is sealed (core.secrets) and never shown again.

    `senders` are what the account may send from; the first is taken where flow and step name none.
    """

    account_sid = models.CharField(max_length=40)
    auth_token = models.TextField()
    senders = models.JSONField(default=list)
    # What Millrace itself answers, by the word: stop, start, help. Empty: Twilio answers.
    answers = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_sms_connector")]


class SmsOptOut(TenantModel):
    """A number (E.164) whose owner replied STOP: no SMS until they write START. Nobody else can lift it."""

    class Source(models.TextChoices):
        REPLY = "reply", "Replied to a message"
        PROVIDER = "provider", "Told by the provider"

    number = models.CharField(max_length=20, db_collation="C")
    source = models.CharField(max_length=10, choices=Source)
    word = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="sms_opt_out_once")]


class BlockedAddress(TenantModel):
    """An address that gets nothing any more (hard bounce, five in a row, complaint, by a user)."""

    address_norm = models.CharField(max_length=320, db_collation="C")

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", "The address does not exist"
        REPEATED_BOUNCES = "repeated_bounces", "Five messages in a row came back"
        COMPLAINT = "complaint", "Marked as spam"
        BY_USER = "by_user", "Blocked by a user"

    reason = models.CharField(max_length=60, choices=Reason)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    message_id = models.BigIntegerField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "address_norm"], name="blocked_address_once")
        ]
