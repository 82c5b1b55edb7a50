from django.db import migrations

from core.db.operations import SecureTenantTables
from core.db.security import USER


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        SecureTenantTables(also_readable={"membership": f"user_id = {USER}"}),
    ]
