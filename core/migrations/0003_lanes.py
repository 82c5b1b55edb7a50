import core.fields
import core.tenancy
import django.db.models.deletion
from django.db import migrations, models

from core.db.operations import SecureTenantTables


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_successor'),
        ('core', '0002_secure'),
    ]

    operations = [
        migrations.CreateModel(
            name='JobLane',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField()),
                ('cursor', models.JSONField(default=dict)),
                ('done', models.BigIntegerField(default=0)),
                ('result', models.JSONField(default=dict)),
                ('attempts', models.SmallIntegerField(default=0)),
                ('finished', models.BooleanField(default=False)),
                ('job', core.fields.TenantForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='lanes', to='core.job')),
                ('tenant', models.ForeignKey(db_index=False, default=core.tenancy.current_tenant_id, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'job', 'number'), name='lane_once_in_a_job')],
            },
        ),
        SecureTenantTables(),
    ]
