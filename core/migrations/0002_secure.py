from django.db import migrations

from core.db.operations import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        SecureTenantTables(),
    ]
