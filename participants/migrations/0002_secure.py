from django.db import migrations

from core.db.operations import PartitionTable, SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("participants", "0001_initial")]

    operations = [
        PartitionTable("visit", column="enrolled_on", key=["enrolled_on", "participant_id", "number"]),
        SecureTenantTables(),
    ]
