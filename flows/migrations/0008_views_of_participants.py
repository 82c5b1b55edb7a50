import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.db.operations import SecureTenantTables
from core.fields import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("flows", "0007_takes_back"),
    ]

    operations = [
        migrations.AddField(
            model_name="savedview",
            name="place",
            field=models.CharField(
                choices=[("flows", "Flows"), ("participants", "Participants")],
                db_default="flows",
                default="flows",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="flow",
            field=TenantForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="flows.flow",
            ),
        ),
        migrations.RemoveConstraint(model_name="savedview", name="saved_view_once"),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                fields=("tenant", "owner", "place", "flow", "name"),
                name="saved_view_once",
                nulls_distinct=False,
            ),
        ),
        SecureTenantTables(),
    ]
