from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("participants", "0010_held_people")]

    operations = [
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)),
                fields=["tenant", "flow_id", "ended_at", "id"],
                name="participants_by_end",
            ),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(
                condition=models.Q(("success_at__isnull", False)),
                fields=["tenant", "flow_id", "success_at", "id"],
                name="participants_by_success",
            ),
        ),
    ]
