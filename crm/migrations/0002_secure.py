from django.db import migrations

from core.db.operations import PartitionTable, SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial")]

    operations = [
        PartitionTable("event", column="day", key=["day", "id"]),
        SecureTenantTables(),
    ]
