"""What sales and requests may be: types, stages, categories and priorities, edited by an administrator."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from core.models import TenantForeignKey, TenantModel


class NamedChoice(TenantModel):
    """One entry of such a list. A retired one keeps working where it is used, and cannot be chosen anew."""

    name = models.CharField(max_length=80)
    rank = models.IntegerField(default=0)
    retired = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.name


class SaleType(NamedChoice):
    """A kind of sale; a new one of it is dated `default_days` ahead."""

    default_days = models.PositiveSmallIntegerField(default=30, validators=[MaxValueValidator(3_650)])

    class Meta(NamedChoice.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="sale_type_once")]
        ordering = ["rank", "name"]


class SaleStage(NamedChoice):
    """How far a sale of a type is, and how probable that makes it (per cent)."""

    type = TenantForeignKey(SaleType, on_delete=models.CASCADE, related_name="stages", db_index=False)
    probability = models.PositiveSmallIntegerField(default=50, validators=[MaxValueValidator(100)])

    class Meta(NamedChoice.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "type", "name"], name="sale_stage_once"),
            models.CheckConstraint(name="sale_stage_per_cent", condition=Q(probability__lte=100)),
        ]
        ordering = ["type", "rank", "name"]


class RequestType(NamedChoice):
    """A kind of request: a question, a complaint."""

    class Meta(NamedChoice.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="request_type_once")]
        ordering = ["rank", "name"]


class RequestPriority(NamedChoice):
    """How urgent a request is; the first is the most urgent."""

    class Meta(NamedChoice.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="request_priority_once")]
        ordering = ["rank", "name"]


class RequestCategory(NamedChoice):
    """What a request is about, and who gets it where its owner is left to the rule."""

    class Rule(models.TextChoices):
        NOBODY = "nobody", "Nobody: it stays unassigned"
        USER = "user", "Always one user"
        GROUP = "group", "The users of a group, in turn"

    rule = models.CharField(max_length=10, choices=Rule, default=Rule.NOBODY)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    group = TenantForeignKey(
        "accounts.Group", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # The remembered place of the turn: who of the group got the last one. A plain id: the user may have left.
    last_user_id = models.BigIntegerField(null=True, blank=True)

    class Meta(NamedChoice.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="request_category_once")]
        ordering = ["rank", "name"]
