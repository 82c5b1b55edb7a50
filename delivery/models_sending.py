"""What the tenant allows itself, the domains it sends from, and what keeps its messages waiting."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from core.models import TenantForeignKey, TenantModel


class SendingRules(TenantModel):
    """At most so many marketing messages to one contact, over all flows and channels; empty is no limit."""

    class WhenFull(models.TextChoices):
        WAIT = "wait", "Wait until there is room"
        SKIP = "skip", "Skip the message and go on"

    most_a_day = models.PositiveSmallIntegerField(null=True)
    most_a_week = models.PositiveSmallIntegerField(null=True)
    when_full = models.CharField(max_length=10, choices=WhenFull, default=WhenFull.WAIT)
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="one_sending_rules"),
            models.CheckConstraint(
                condition=Q(most_a_day=None) | Q(most_a_day__gte=1), name="most_a_day_at_least_one"
            ),
            models.CheckConstraint(
                condition=Q(most_a_week=None) | Q(most_a_week__gte=1), name="most_a_week_at_least_one"
            ),
        ]


class SenderDomain(TenantModel):
    """A domain that messages may come from, with the key that signs them and what its DNS said last.

    `private_key` is sealed and never shown; each problem is a sentence, empty where the record is fine.
    """

    domain = models.CharField(max_length=253, db_collation="C")
    selector = models.CharField(max_length=40)
    private_key = models.TextField()
    public_key = models.TextField()
    added_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    is_verified = models.BooleanField(default=False)
    spf_problem = models.CharField(max_length=200, blank=True)
    dkim_problem = models.CharField(max_length=200, blank=True)
    dmarc_problem = models.CharField(max_length=200, blank=True)
    # Since when a verified domain's records do not hold, as long as that is not believed yet; when it lapsed for it.
    failing_since = models.DateTimeField(null=True)
    lapsed_at = models.DateTimeField(null=True)
    # When it is looked at again by itself (real time); empty: at once where it is verified, else when somebody asks.
    next_check_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "domain"], name="sender_domain_once"),
            models.CheckConstraint(
                condition=Q(is_verified=True, lapsed_at=None) | Q(is_verified=False, failing_since=None),
                name="verified_domain_has_not_lapsed",
            ),
            models.CheckConstraint(
                condition=Q(is_verified=False) | Q(checked_at__isnull=False),
                name="verified_domain_was_checked",
            ),
        ]

    def __str__(self) -> str:
        return self.domain


class ChannelHold(TenantModel):
    """A channel that does not work at the moment, and why; or, with a stream, one that refuses that stream's sender.

    Messages wait for it without using up their tries; gone as soon as something gets through.
    """

    class Cause(models.TextChoices):
        UNREACHABLE = "unreachable", "Cannot be reached"
        SIGN_IN = "sign_in", "Refuses the sign-in"
        BUSY = "busy", "Takes nothing at the moment"
        SUSPENDED = "suspended", "The account is suspended"
        NO_ACCOUNT = "no_account", "No account is connected"
        NO_LICENCE = "no_licence", "The licence is not in force"
        SENDER = "sender", "Refuses the sender"

    channel = models.CharField(max_length=10)
    stream = TenantForeignKey("delivery.Stream", on_delete=models.CASCADE, null=True, related_name="+")
    cause = models.CharField(max_length=20, choices=Cause)
    said = models.CharField(max_length=400, blank=True)
    since = models.DateTimeField()
    retry_at = models.DateTimeField()
    tries = models.IntegerField(default=1)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "channel", "stream"], name="one_hold_a_channel", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(cause="sender", stream__isnull=False) | ~Q(cause="sender") & Q(stream=None),
                name="senders_are_held_by_stream",
            ),
        ]


class Pace(TenantModel):
    """How many messages of a channel the tenant hands over a minute at most; no row is as fast as it goes.

    `used` counts those of the minute that began at `window_at`, over all workers.
    """

    channel = models.CharField(max_length=10)
    most_a_minute = models.PositiveIntegerField()
    window_at = models.DateTimeField(null=True)
    used = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "channel"], name="one_pace_a_channel"),
            models.CheckConstraint(condition=Q(most_a_minute__gte=1), name="pace_at_least_one"),
        ]


class EmailConnector(TenantModel):
    """The tenant's account at an email provider, one a tenant; none means the installation's mail server.

    `options` are what may be shown, by the provider's own field names; `secrets` the rest, sealed as one JSON object.
    """

    provider = models.CharField(max_length=20)
    options = models.JSONField(default=dict)
    secrets = models.TextField()
    # How many mails one worker hands over at the same time, and all of them together in a second (empty: no limit).
    connections = models.PositiveSmallIntegerField(default=4, db_default=4)
    most_a_second = models.PositiveIntegerField(null=True)
    updated_at = models.DateTimeField()
    # When the provider last told something that was believed, to the minute.
    heard_at = models.DateTimeField(null=True)
    # Amazon SNS: the topic that may post here, since when, and since when it does no more.
    confirmed_topic = models.CharField(max_length=400, blank=True, db_default="")
    topic_confirmed_at = models.DateTimeField(null=True)
    topic_ended_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="one_email_connector"),
            models.CheckConstraint(
                condition=Q(confirmed_topic="", topic_confirmed_at=None, topic_ended_at=None)
                | ~Q(confirmed_topic="") & Q(topic_confirmed_at__isnull=False),
                name="a_topic_was_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(connections__gte=1, connections__lte=10), name="email_connections_one_to_ten"
            ),
            models.CheckConstraint(
                condition=Q(most_a_second=None) | Q(most_a_second__gte=1), name="email_pace_at_least_one"
            ),
        ]
