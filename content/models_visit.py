"""Looks at the public pages of forms: where, how far, and by whom only so far as person or machine. Nobody's name."""

from __future__ import annotations

from django.db import models

from content.models_form import Form
from core.models import TenantForeignKey, TenantModel


class FormVisit(TenantModel):
    """One look at a form's page. `key` is the page token's, and so that of the submission which came of it.

    `place` is where the page stood, `site` the host that led to it or showed it. A popup or a side tab is loaded long
    before anybody sees it: `is_seen`. `page` (from 0) and `field` (a key) are how far somebody came who wrote.
    """

    class Place(models.TextChoices):
        LINK = "link", "Its own page"
        MESSAGE = "message", "Its own page, from a message"
        INLINE = "inline", "Inline on a site"
        POPUP = "popup", "Popup on a site"
        TAB = "tab", "Side tab of a site"
        FRAME = "frame", "Frame on a site"

    form = TenantForeignKey(Form, on_delete=models.CASCADE, related_name="+")
    key = models.UUIDField()
    at = models.DateTimeField()
    place = models.CharField(max_length=10, choices=Place)
    site = models.CharField(max_length=120, blank=True)
    is_machine = models.BooleanField(default=False)
    is_seen = models.BooleanField(default=True)
    started_at = models.DateTimeField(null=True)
    page = models.SmallIntegerField(default=0)
    field = models.CharField(max_length=40, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "form", "key"], name="form_visit_once"),
        ]
        indexes = [models.Index(fields=["tenant", "form", "at"], name="visits_of_form")]
