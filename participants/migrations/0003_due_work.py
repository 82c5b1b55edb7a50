from django.db import migrations

from core.db.finder import finder_function

# One index look-up per running flow, however many are due; who was served longest ago comes first.
DUE_FLOWS = """
SELECT f.tenant_id, f.id FROM flows_flow f JOIN accounts_tenant t ON t.id = f.tenant_id
WHERE f.status = 'running' AND (f.starts_at IS NULL OR f.starts_at <= p_now + t.clock_offset) AND EXISTS (
    SELECT 1 FROM participants_participant p
    WHERE p.tenant_id = f.tenant_id AND p.flow_id = f.id AND p.status = 'active'
      AND p.due_at <= p_now + t.clock_offset)
ORDER BY f.served_at NULLS FIRST, f.id
"""
FULL_INBOXES = "SELECT t.id FROM accounts_tenant t WHERE EXISTS (SELECT 1 FROM crm_eventinbox i WHERE i.tenant_id = t.id)"
COUNTER_TAILS = """
SELECT t.id FROM accounts_tenant t
WHERE EXISTS (SELECT 1 FROM participants_counterdelta d WHERE d.tenant_id = t.id)
"""
# How long the oldest due participant has waited, in seconds: one index look-up per running flow.
OLDEST_DUE = """
SELECT max(extract(epoch FROM p_now + t.clock_offset - first.due_at))::bigint
FROM flows_flow f JOIN accounts_tenant t ON t.id = f.tenant_id
JOIN LATERAL (
    SELECT p.due_at FROM participants_participant p
    WHERE p.tenant_id = f.tenant_id AND p.flow_id = f.id AND p.status = 'active'
      AND p.due_at <= p_now + t.clock_offset
    ORDER BY p.due_at LIMIT 1) first ON true
WHERE f.status = 'running' AND (f.starts_at IS NULL OR f.starts_at <= p_now + t.clock_offset)
"""
STALLED_JOBS = """
SELECT j.tenant_id, j.id FROM accounts_tenant t JOIN core_job j ON j.tenant_id = t.id
WHERE j.status IN ('waiting', 'running') AND j.updated_at < p_now
"""


class Migration(migrations.Migration):
    dependencies = [
        ("participants", "0002_secure"),
        ("flows", "0002_secure"),
        ("crm", "0002_secure"),
        ("accounts", "0002_secure"),
        ("core", "0002_secure"),
    ]

    operations = [
        finder_function(
            "participants_due_flows",
            DUE_FLOWS,
            returns="TABLE (tenant_id bigint, flow_id bigint)",
            tables={
                "accounts_tenant": ["id", "clock_offset"],
                "flows_flow": ["tenant_id", "id", "status", "starts_at", "served_at"],
                "participants_participant": ["tenant_id", "flow_id", "status", "due_at"],
            },
        ),
        finder_function(
            "participants_full_inboxes",
            FULL_INBOXES,
            tables={"accounts_tenant": ["id"], "crm_eventinbox": ["tenant_id"]},
        ),
        finder_function(
            "participants_counter_tails",
            COUNTER_TAILS,
            tables={"accounts_tenant": ["id"], "participants_counterdelta": ["tenant_id"]},
        ),
        finder_function(
            "participants_stalled_jobs",
            STALLED_JOBS,
            returns="TABLE (tenant_id bigint, job_id bigint)",
            tables={"accounts_tenant": ["id"], "core_job": ["tenant_id", "id", "status", "updated_at"]},
        ),
        finder_function(
            "participants_oldest_due",
            OLDEST_DUE,
            tables={
                "accounts_tenant": ["id", "clock_offset"],
                "flows_flow": ["tenant_id", "id", "status", "starts_at"],
                "participants_participant": ["tenant_id", "flow_id", "status", "due_at"],
            },
        ),
    ]
