"""Bases of tenant models, their manager, the Job that long work leaves its cursor in, and the lanes of a large one."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.db import models
from django.utils.functional import cached_property

from core.fields import TenantForeignKey as TenantForeignKey
from core.tenancy import current_tenant_id, is_unscoped, require_tenant_id

M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    """A query set of one tenant's rows."""


class TenantManager(models.Manager[M]):
    """Adds the tenant filter; raises outside a scope (core.tenancy)."""

    def get_queryset(self) -> models.QuerySet[M]:
        queryset = super().get_queryset()
        return queryset if is_unscoped() else queryset.filter(tenant_id=require_tenant_id())


class TenantModel(models.Model):
    """A row that belongs to one tenant. Its table is secured by core.db.operations.SecureTenantTables."""

    tenant = models.ForeignKey(
        "accounts.Tenant",
        on_delete=models.PROTECT,
        default=current_tenant_id,
        related_name="+",
        db_index=False,
    )

    objects: ClassVar[models.Manager[Self]] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"


class HotTenantModel(TenantModel):
    """An append-mostly tenant row without database foreign keys (five of them cost 7x per insert)."""

    tenant = models.ForeignKey(
        "accounts.Tenant",
        on_delete=models.DO_NOTHING,
        default=current_tenant_id,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta(TenantModel.Meta):
        abstract = True


class Job(TenantModel):
    """Long work cut into slices: each slice commits the cursor and the progress together (core.jobs)."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.WAITING)
    arguments = models.JSONField(default=dict)
    cursor = models.JSONField(default=dict)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(
                fields=["tenant", "status", "id"],
                name="job_open",
                condition=models.Q(status__in=["waiting", "running"]),
            ),
        ]

    @cached_property
    def percent(self) -> int:
        """Progress from 0 to 100."""
        return min(100, self.done * 100 // self.total) if self.total else 0

    @property
    def is_over(self) -> bool:
        """Whether no further slice will run."""
        return self.status in {self.Status.DONE, self.Status.FAILED, self.Status.CANCELLED}


class JobLane(TenantModel):
    """A part of a large job, with a cursor, progress and result of its own: several workers each do a slice of another
    lane at the same time (core.lanes)."""

    job = TenantForeignKey(Job, on_delete=models.CASCADE, related_name="lanes", db_index=False)
    number = models.IntegerField()
    cursor = models.JSONField(default=dict)
    done = models.BigIntegerField(default=0)
    result = models.JSONField(default=dict)
    attempts = models.SmallIntegerField(default=0)
    finished = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "job", "number"], name="lane_once_in_a_job")]
