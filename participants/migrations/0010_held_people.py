from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("participants", "0009_success_values")]

    operations = [
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(
                condition=models.Q(("held_reason", ""), _negated=True),
                fields=["tenant", "flow_id", "-id"],
                name="participants_held",
            ),
        ),
    ]
