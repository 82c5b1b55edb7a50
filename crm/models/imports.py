"""An import of contacts: its file, mapping, answers and what went wrong with which row."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from core.models import HotTenantModel, TenantForeignKey, TenantModel


class ContactImport(TenantModel):
    """One uploaded file on its way into the contacts; the work itself is a core.Job."""

    job = TenantForeignKey("core.Job", on_delete=models.PROTECT, null=True, related_name="+")
    file_name = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    size = models.BigIntegerField()
    format = models.CharField(max_length=10, default="csv")
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    headers = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    legal_basis = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=120, blank=True)
    selection = TenantForeignKey(
        "crm.Selection", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    warnings = models.BigIntegerField(default=0)
    companies = models.BigIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()


class ImportIssue(HotTenantModel):
    """Why a row was rejected, or what was left out of one that was taken (a warning)."""

    contact_import = TenantForeignKey(
        ContactImport, on_delete=models.DO_NOTHING, related_name="issues", hot=True
    )
    row = models.BigIntegerField()
    column = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=250)
    value = models.TextField(blank=True)
    rejected = models.BooleanField()
    cells = models.JSONField(null=True)

    class Meta(HotTenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "contact_import", "row", "id"], name="issues_of_import")]
