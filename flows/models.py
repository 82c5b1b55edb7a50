"""Flows, their revisions and steps, folders, and who may see them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q, Value

from accounts.permissions import GroupGrant, UserGrant
from core.models import TenantForeignKey, TenantModel


class FlowFolder(TenantModel):
    """A place to keep flows; folders nest."""

    name = models.CharField(max_length=80)
    parent = TenantForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "parent", "name"], name="flow_folder_once", nulls_distinct=False
            )
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Flow(TenantModel):
    """A flow: its status and its draft. What it does is the document of its newest revision (flows.document)."""

    class Status(models.TextChoices):
        NOT_RUNNING = "not_running", "Not running"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"

    class Visibility(models.TextChoices):
        EVERYONE = "everyone", "Everyone"
        OWNER = "owner", "Only the owner"
        GROUP = "group", "The owner's group"
        CHOSEN = "chosen", "Chosen users and groups"

    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    folder = TenantForeignKey(
        FlowFolder, on_delete=models.PROTECT, null=True, blank=True, related_name="flows"
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.EVERYONE)
    status = models.CharField(max_length=20, choices=Status, default=Status.NOT_RUNNING)
    status_since = models.DateTimeField()
    # Events from before the first or newest start never trigger: intake compares with this moment.
    started_at = models.DateTimeField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    enrolment_ends_at = models.DateTimeField(null=True, blank=True)
    revision = models.IntegerField(default=0)
    draft = models.JSONField()
    # Grows with every change, undo and redo: whoever edits says which version they saw.
    draft_version = models.IntegerField(default=0)
    # Which DraftState the draft is now; undo goes back from here, redo forward.
    draft_state = models.IntegerField(default=0)
    draft_label = models.CharField(max_length=120, blank=True)
    draft_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # The flow's own clock (flows.clock): when it strikes next, up to when it has, whether "today" matters to it.
    clock_at = models.DateTimeField(null=True, blank=True)
    clock_since = models.DateTimeField(null=True, blank=True)
    judges_daily = models.BooleanField(default=False, db_default=False)
    stream = TenantForeignKey("delivery.Stream", on_delete=models.PROTECT, related_name="+")
    served_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.CheckConstraint(
                name="a_running_flow_was_saved_and_started",
                condition=Q(status="not_running") | Q(revision__gt=0, started_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_deleted_flow_is_off", condition=Q(deleted_at=None) | Q(status="not_running")
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "status", "id"], name="flow_by_status"),
            models.Index(fields=["tenant", "-updated_at", "-id"], name="flow_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class FlowRevision(TenantModel):
    """One saved document of a flow; immutable, numbered from 1."""

    flow = TenantForeignKey(Flow, on_delete=models.CASCADE, related_name="revisions")
    number = models.IntegerField()
    document = models.JSONField()
    note = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "flow", "number"], name="revision_once")]


class Step(TenantModel):
    """A step as the newest revision has it; a removed one stays for the sums. Its id is the document's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    flow = TenantForeignKey(Flow, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    rank = models.IntegerField(default=0)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "flow", "rank"], name="steps_of_flow")]
        ordering = ["rank"]

    def __str__(self) -> str:
        return self.title


class DraftState(TenantModel):
    """One state of a flow's draft, for undo and redo: every accepted operation stores the whole document."""

    flow = TenantForeignKey(Flow, on_delete=models.CASCADE, related_name="draft_states")
    number = models.IntegerField()
    document = models.JSONField()
    label = models.CharField(max_length=120)
    # The steps that changed place or went: people who stand there by now forbid to undo or redo that.
    moves = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    # The number of the earlier state whose change this one took back from under later ones.
    takes_back = models.IntegerField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "flow", "number"], name="draft_state_once")]


class FlowOpened(TenantModel):
    """How a user last saw a flow: when (the tab Recent), and which splits and branches were folded on its canvas."""

    flow = TenantForeignKey(Flow, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    folded = models.JSONField(default=list, db_default=Value([], models.JSONField()))

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "user", "flow"], name="flow_opened_once")]
        indexes = [models.Index(fields=["tenant", "user", "-at"], name="flow_recent")]


class SavedView(TenantModel):
    """A view of a list that its owner keeps under a name: the list's query string. Shared: everybody who sees flows
    finds it. One that names a step of a flow is of that flow alone."""

    class Place(models.TextChoices):
        FLOWS = "flows", "Flows"
        PARTICIPANTS = "participants", "Participants"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=20, choices=Place, default=Place.FLOWS, db_default=Place.FLOWS)
    flow = TenantForeignKey(Flow, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1_000, blank=True)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "owner", "place", "flow", "name"],
                name="saved_view_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return self.name


class FlowComment(TenantModel):
    """What a colleague wrote at a step, or where people enter. The first of a thread has none above it, and is what is
    resolved; answers name it. Not part of the document: no revision, copy or file of the flow has it."""

    flow = TenantForeignKey(Flow, on_delete=models.CASCADE, related_name="comments")
    # No reference: a step may be in the draft alone, and what was said at a removed one stays.
    # None: where people enter.
    step = models.UUIDField(null=True)
    # What the step was called then, for when it is gone.
    step_title = models.CharField(max_length=200, blank=True)
    thread = TenantForeignKey("self", on_delete=models.CASCADE, null=True, related_name="answers")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # Empty: deleted while it had answers, or it named a person who was erased.
    text = models.TextField(blank=True)
    # Colleagues whom the text names: [{"user": id, "name": as it stands behind the @}].
    mentions = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    # Made by the page that sends it: sent twice, it is written once.
    once = models.UUIDField()
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "author", "once"], name="comment_once"),
            models.CheckConstraint(
                name="a_resolved_comment_begins_a_thread",
                condition=Q(resolved_at=None, resolved_by=None)
                | Q(resolved_at__isnull=False, resolved_by__isnull=False, thread=None),
            ),
            models.CheckConstraint(
                name="a_deleted_comment_says_nothing", condition=Q(deleted_at=None) | Q(text="")
            ),
        ]
        indexes = [models.Index(fields=["tenant", "flow", "step", "-id"], name="comments_at_step")]


class FlowUserPermission(UserGrant):
    """A chosen user who sees a flow (django-guardian; flows.visibility reads it)."""

    content_object = TenantForeignKey(Flow, on_delete=models.CASCADE, related_name="user_grants")

    class Meta(UserGrant.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "content_object", "user", "permission"], name="flow_user_grant_once"
            )
        ]


class FlowGroupPermission(GroupGrant):
    """A chosen group whose members see a flow."""

    content_object = TenantForeignKey(Flow, on_delete=models.CASCADE, related_name="group_grants")

    class Meta(GroupGrant.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "content_object", "group", "permission"], name="flow_group_grant_once"
            )
        ]
