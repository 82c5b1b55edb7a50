from django.db import migrations

from core.db.finder import finder_function

# 19782 is delivery.processes.LOCK_CLASS: a reserving process lives as long as it holds (class, reserved_by).
DUE = """
SELECT t.id FROM accounts_tenant t
WHERE EXISTS (
    SELECT 1 FROM delivery_stream s
    WHERE s.tenant_id = t.id AND s.state <> 'held' AND EXISTS (
        SELECT 1 FROM delivery_message m
        WHERE m.tenant_id = s.tenant_id AND m.stream_id = s.id AND m.status = 'queued' AND m.reserved_by IS NULL
          AND (m.send_at <= p_now + t.clock_offset OR s.state = 'closed')))
OR EXISTS (
    SELECT 1 FROM delivery_message m
    WHERE m.tenant_id = t.id AND m.reserved_by IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = 19782 AND l.objid = m.reserved_by::oid AND l.objsubid = 2
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0002_secure"), ("accounts", "0002_secure")]

    operations = [
        finder_function(
            "delivery_due_tenants",
            DUE,
            tables={
                "accounts_tenant": ["id", "clock_offset"],
                "delivery_stream": ["tenant_id", "id", "state"],
                "delivery_message": ["tenant_id", "stream_id", "status", "reserved_by", "send_at"],
            },
        ),
    ]
