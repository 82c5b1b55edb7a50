"""Facts about contacts. An Event is never updated; its inbox row is what intake takes (docs/architecture.md)."""

from __future__ import annotations

from django.db import models
from django.db.models.expressions import RawSQL

from core.models import HotTenantModel


class Event(HotTenantModel):
    """Something that happened to a contact. Partitioned by `day` (UTC); primary key in the database (day, id)."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    contact_id = models.BigIntegerField()
    company_id = models.BigIntegerField(null=True)
    origin = models.CharField(max_length=20)
    object_id = models.BigIntegerField(null=True)
    object_key = models.CharField(max_length=80, blank=True, db_collation="C")
    data = models.JSONField(default=dict)
    actor_id = models.BigIntegerField(null=True)
    flow_id = models.BigIntegerField(null=True)
    step_id = models.UUIDField(null=True)
    participant_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField(null=True)
    # Readers by cursor use (xid, id): ids alone commit out of order and rows would be lost.
    xid = models.BigIntegerField(db_default=RawSQL("pg_current_xact_id()::text::bigint", []))

    class Meta(HotTenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "contact_id", "-at", "-id"], name="event_timeline"),
            models.Index(fields=["tenant", "kind", "object_id", "contact_id"], name="event_by_object"),
            models.Index(fields=["tenant", "xid", "id"], name="event_cursor"),
        ]


class EventInbox(HotTenantModel):
    """An event that intake has not taken yet; written in the same statement as the event, deleted when taken."""

    event_id = models.BigIntegerField()
    day = models.DateField()
    contact_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)

    class Meta(HotTenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "id"], name="inbox_order")]
