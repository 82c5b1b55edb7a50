from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm', '0012_draft_usage'),
    ]

    operations = [
        migrations.AddField(
            model_name='consentchange',
            name='confirmed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='consentchange',
            name='wording',
            field=models.CharField(blank=True, db_default='', max_length=250),
        ),
    ]
