from django.db import migrations

from core.db.finder import finder_function

# Whether there may be something to collect; what, is the job's question. One look at an index for each tenant.
OLD_FILES = """
SELECT t.id FROM accounts_tenant t
WHERE EXISTS (
    SELECT 1 FROM content_storedfile f
    WHERE f.tenant_id = t.id AND f.touched_at < p_now + t.clock_offset - interval '1 day')
"""


class Migration(migrations.Migration):
    dependencies = [("content", "0016_form_numbers_reset"), ("accounts", "0002_secure")]

    operations = [
        finder_function(
            "content_tenants_with_old_files",
            OLD_FILES,
            tables={
                "accounts_tenant": ["id", "clock_offset"],
                "content_storedfile": ["tenant_id", "touched_at"],
            },
        ),
    ]
