from django.db import migrations

from core.db.operations import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("flows", "0001_initial")]

    operations = [
        SecureTenantTables(),
    ]
