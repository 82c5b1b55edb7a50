from django.db import migrations

from core.db.operations import PartitionTable, SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial")]

    operations = [
        PartitionTable("message", column="enrolled_on", key=["enrolled_on", "id"]),
        SecureTenantTables(),
    ]
