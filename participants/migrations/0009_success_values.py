from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("participants", "0008_control_group")]

    operations = [
        migrations.AddField(
            model_name="participant", name="success_values", field=models.JSONField(null=True)
        ),
    ]
