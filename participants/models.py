"""Participants, the suggestions that brought them, their visits, and the counters of both."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from core.models import HotTenantModel


class Suggestion(HotTenantModel):
    """A contact was suggested for a flow and judged, once. Keeps the verdict, the first rule that failed and the
    values it saw. Hot: a million may be written by one enrolment."""

    class Verdict(models.TextChoices):
        ENROLLED = "enrolled", "Enrolled"
        NOT_OPEN = "not_open", "Enrolment is not open"
        FILTER = "filter", "Does not pass the filter"
        EXCLUDED = "excluded", "On the exclusion list"
        ACTIVE = "active", "Active in this flow already"
        ONCE = "once", "Has been in this flow before"
        CONTROL = "control", "Held out as control group"
        LOOP = "loop", "Entered too often by flows"

    flow_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    source = models.CharField(max_length=40)
    source_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    verdict = models.CharField(max_length=20, choices=Verdict)
    values = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta(HotTenantModel.Meta):
        # By contact first: merging and erasing find a contact's own among a million.
        indexes = [
            models.Index(fields=["tenant", "contact_id", "flow_id", "-id"], name="suggestion_of_contact")
        ]


class HeldOut(HotTenantModel):
    """A contact that belongs to the control group of a flow, once for each flow: since when, and when it met what is a
    success there. See participants.control."""

    flow_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    held_at = models.DateTimeField()
    success_at = models.DateTimeField(null=True)

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "flow_id", "contact_id"], name="held_out_once")
        ]


class Participant(HotTenantModel):
    """One entry of a contact into a flow.

    `step_id` is where it stands: None means before the first step while active. `waiting` says that the visit
    `visit_number` is open there (the step's action is done and its wait runs); otherwise the step is still to be
    acted. `due_at` is when the engine takes it next; None while active means until an event.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        FINISHED = "finished", "Finished"
        SUCCESS = "success", "Finished with success"
        DROPPED = "dropped", "Dropped out"
        CANCELLED = "cancelled", "Cancelled"

    class DropReason(models.TextChoices):
        FORMER_EMPLOYEE = "former_employee", "Former employee"
        CONTACT_DELETED = "contact_deleted", "Contact deleted"
        EXCLUDED = "excluded", "Excluded"
        NO_CONSENT = "no_consent", "No consent"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        NO_EMAIL = "no_email", "No email address"
        DUPLICATE_ADDRESS = "duplicate_address", "Address already in the flow"
        ADDRESS_BLOCKED = "address_blocked", "Address blocked"
        NO_MOBILE = "no_mobile", "No mobile"
        SMS_OPT_OUT = "sms_opt_out", "Opted out of SMS"
        NO_REPLY = "no_reply", "No reply in time"
        NO_BRANCH = "no_branch", "No branch matched"
        MOVED = "moved", "Moved to another flow"
        REMOVED_BY_USER = "removed_by_user", "Removed by a user"
        MERGED = "merged", "Contact merged"
        STEP_FAILED = "step_failed", "Step failed"

    flow_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    enrolled_on = models.DateField()
    enrolled_at = models.DateTimeField()
    source = models.CharField(max_length=40)
    suggestion_id = models.BigIntegerField(null=True)
    event_data = models.JSONField(null=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    step_id = models.UUIDField(null=True)
    step_since = models.DateTimeField()
    waiting = models.BooleanField(default=False)
    due_at = models.DateTimeField(null=True)
    waits_until = models.DateTimeField(null=True)
    # A wait keeps the settings it arrived with: those of this revision (0 while nothing waits).
    visit_revision = models.IntegerField(default=0, db_default=0)
    # An event may end the wait (or change it): intake finds it by `participant_listening`.
    listening = models.BooleanField(default=False, db_default=False)
    # When intake saw the criteria of a wait come true; actions are read from the events themselves.
    heard_at = models.DateTimeField(null=True)
    visit_number = models.IntegerField(default=0)
    attempts = models.SmallIntegerField(default=0)
    held_reason = models.CharField(max_length=300, blank=True)
    success_at = models.DateTimeField(null=True)
    # What was seen at that moment: see participants.success_seen.
    success_values = models.JSONField(null=True)
    ended_at = models.DateTimeField(null=True)
    drop_reason = models.CharField(max_length=30, blank=True)
    drop_values = models.JSONField(null=True)
    last_message_id = models.BigIntegerField(null=True)

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.CheckConstraint(
                name="active_means_not_ended",
                condition=Q(status="active", ended_at=None)
                | (~Q(status="active") & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="dropped_out_has_a_reason",
                condition=Q(status="dropped") & ~Q(drop_reason="") | ~Q(status="dropped") & Q(drop_reason=""),
            ),
            models.CheckConstraint(
                name="success_is_dated", condition=~Q(status="success") | Q(success_at__isnull=False)
            ),
            models.CheckConstraint(
                name="only_active_is_due", condition=Q(status="active") | Q(due_at=None, waiting=False)
            ),
            models.CheckConstraint(name="who_listens_waits", condition=Q(listening=False) | Q(waiting=True)),
            models.UniqueConstraint(
                fields=["tenant", "flow_id", "contact_id"],
                name="active_once_in_a_flow",
                condition=Q(status="active"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "flow_id", "due_at", "id"],
                name="participant_due",
                condition=Q(status="active"),
            ),
            # Ascending: new ones come at the end of their flow and pages stay full; newest first reads it backwards.
            models.Index(fields=["tenant", "flow_id", "id"], name="people_of_flow"),
            models.Index(fields=["tenant", "contact_id", "-id"], name="participations"),
            # A status or reason of a few among a million is found without walking through the flow. Who is active
            # has participant_due.
            models.Index(
                fields=["tenant", "flow_id", "status", "-id"],
                name="participants_ended",
                condition=~Q(status="active"),
            ),
            models.Index(
                fields=["tenant", "flow_id", "drop_reason", "-id"],
                name="participants_dropped",
                condition=Q(status="dropped"),
            ),
            models.Index(
                fields=["tenant", "contact_id"], name="participant_listening", condition=Q(listening=True)
            ),
            # The list in the order of these moments, and a report's time among a million.
            models.Index(
                fields=["tenant", "flow_id", "ended_at", "id"],
                name="participants_by_end",
                condition=Q(ended_at__isnull=False),
            ),
            models.Index(
                fields=["tenant", "flow_id", "success_at", "id"],
                name="participants_by_success",
                condition=Q(success_at__isnull=False),
            ),
            # The few who are held among a million who wait.
            models.Index(
                fields=["tenant", "flow_id", "-id"], name="participants_held", condition=~Q(held_reason="")
            ),
        ]


class Visit(HotTenantModel):
    """One stay of a participant at a step. Partitioned by `enrolled_on`; one a number a participant, kept by the
    primary key. `ended` is empty while here, then `went_on` or `left`, never both."""

    class Ended(models.TextChoices):
        HERE = "", "Here now"
        WENT_ON = "went_on", "Went on"
        LEFT = "left", "Left"

    pk = models.CompositePrimaryKey("enrolled_on", "participant_id", "number")
    enrolled_on = models.DateField()
    participant_id = models.BigIntegerField()
    number = models.IntegerField()
    flow_id = models.BigIntegerField()
    step_id = models.UUIDField()
    revision = models.IntegerField()
    came_at = models.DateTimeField()
    went_at = models.DateTimeField(null=True)
    ended = models.CharField(max_length=10, choices=Ended, default=Ended.HERE, blank=True)
    how = models.CharField(max_length=30, blank=True)
    branch_id = models.UUIDField(null=True)
    values = models.JSONField(null=True)
    message_id = models.BigIntegerField(null=True)

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.CheckConstraint(
                name="a_visit_ends_one_way",
                condition=Q(ended="", went_at=None) | Q(ended__in=["went_on", "left"], went_at__isnull=False),
            )
        ]


class CounterDelta(HotTenantModel):
    """What one batch changed: appended, folded into CounterTotal by participants.counters.fold."""

    flow_id = models.BigIntegerField()
    step_id = models.UUIDField(null=True)
    measure = models.CharField(max_length=60)
    amount = models.BigIntegerField()
    # The day that it was for the tenant.
    day = models.DateField(null=True)

    class Meta(HotTenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "flow_id", "id"], name="delta_of_flow")]


class CounterTotal(HotTenantModel):
    """The folded sums; a read is totals plus the tail of deltas."""

    flow_id = models.BigIntegerField()
    step_id = models.UUIDField(null=True)
    measure = models.CharField(max_length=60)
    amount = models.BigIntegerField()

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "flow_id", "step_id", "measure"], name="counter_once", nulls_distinct=False
            )
        ]


class CounterDay(HotTenantModel):
    """The folded sums of one day; over all days they are the totals."""

    flow_id = models.BigIntegerField()
    day = models.DateField()
    step_id = models.UUIDField(null=True)
    measure = models.CharField(max_length=60)
    amount = models.BigIntegerField()

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "flow_id", "day", "step_id", "measure"],
                name="counter_day_once",
                nulls_distinct=False,
            )
        ]


class HeldStep(HotTenantModel):
    """A step whose cohort is held for a cause common to all: shown on the flow, retried with backoff."""

    flow_id = models.BigIntegerField()
    step_id = models.UUIDField()
    cause = models.CharField(max_length=500)
    since = models.DateTimeField()
    retry_at = models.DateTimeField()
    attempts = models.IntegerField(default=1)

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "flow_id", "step_id"], name="held_step_once")
        ]


class ClockFire(HotTenantModel):
    """A trigger of the clock has suggested a contact for a day: never twice, whatever crashes or is caught up with."""

    flow_id = models.BigIntegerField()
    trigger_id = models.UUIDField()
    contact_id = models.BigIntegerField()
    day = models.DateField()

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "trigger_id", "contact_id", "day"], name="clock_fires_once"
            )
        ]
