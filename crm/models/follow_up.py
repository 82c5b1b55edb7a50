"""Follow-ups: what somebody of ours has promised to do, and the diary it stands in."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import TenantForeignKey, TenantModel


class FollowUp(TenantModel):
    """A task of a day, or a meeting from one moment to another, in the diary of its assignee.

    Flow and participant are plain ids: no foreign key points up.
    """

    class Kind(models.TextChoices):
        TASK = "task", "Task"
        MEETING = "meeting", "Meeting"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"

    kind = models.CharField(max_length=10, choices=Kind)
    title = models.CharField(max_length=200)
    type = TenantForeignKey("crm.ListItem", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    project = TenantForeignKey(
        "crm.Project", on_delete=models.SET_NULL, null=True, blank=True, related_name="follow_ups"
    )
    contact = TenantForeignKey(
        "crm.Contact", on_delete=models.CASCADE, null=True, blank=True, related_name="follow_ups"
    )
    company = TenantForeignKey(
        "crm.Company", on_delete=models.SET_NULL, null=True, blank=True, related_name="follow_ups"
    )
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    day = models.DateField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    agenda = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    done_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    flow_id = models.BigIntegerField(null=True, blank=True)
    participant_id = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.CheckConstraint(
                name="a_task_has_a_day_and_a_meeting_its_times",
                condition=Q(kind="task", day__isnull=False, starts_at=None, ends_at=None)
                | Q(kind="meeting", day=None, starts_at__isnull=False, ends_at__gt=models.F("starts_at")),
            ),
            models.CheckConstraint(
                name="a_done_follow_up_has_its_time",
                condition=Q(status="done", done_at__isnull=False) | Q(status="open", done_at=None),
            ),
        ]
        indexes = [
            # The check for free time reads by the end: what ends after a moment.
            models.Index(
                fields=["tenant", "assignee", "ends_at"],
                name="diary_of_meetings",
                condition=Q(kind="meeting"),
            ),
            models.Index(
                fields=["tenant", "assignee", "day"], name="diary_of_tasks", condition=Q(kind="task")
            ),
            models.Index(fields=["tenant", "contact", "-id"], name="follow_ups_of_contact"),
        ]

    def __str__(self) -> str:
        return self.title


class Diary(TenantModel):
    """When somebody works: the row that bookings of their time lock. Nobody's (user None) is the tenant's default.

    `hours` are the working days as {"0": ["08:00", "16:00"], …}, 0 is Monday; None means the tenant's. An empty
    timezone means the tenant's, too.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    timezone = models.CharField(max_length=60, blank=True)
    hours = models.JSONField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="one_diary_each", nulls_distinct=False)
        ]


class AwayPeriod(TenantModel):
    """Days, the first and the last included, on which somebody is not at work."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()
    note = models.CharField(max_length=120, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.CheckConstraint(
                name="away_ends_after_it_begins", condition=Q(last_day__gte=models.F("first_day"))
            )
        ]
        indexes = [models.Index(fields=["tenant", "user", "last_day"], name="away_of_user")]

    def covers(self, day: dt.date) -> bool:
        """Say whether a day is one of them."""
        return self.first_day <= day <= self.last_day
