"""Runs of scripts that failed after a click on a tracked link, or by a form. What fails in a flow, the visit keeps."""

from __future__ import annotations

from django.db import models

from content.models_script import Script
from core.models import TenantForeignKey, TenantModel


class ScriptFailure(TenantModel):
    """One run that changed nothing. `version` is the script's that ran, `cause` the form's or link's name then."""

    script = TenantForeignKey(Script, on_delete=models.CASCADE, related_name="failures")
    version = models.IntegerField()
    contact = TenantForeignKey("crm.Contact", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    origin = models.CharField(max_length=20)
    cause = models.CharField(max_length=120, blank=True)
    message = models.TextField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "script", "at"], name="failures_of_script")]
