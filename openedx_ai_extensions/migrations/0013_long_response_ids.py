from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("openedx_ai_extensions", "0012_worker_leases"),
    ]

    operations = [
        migrations.AlterField(
            model_name="aiworkflowsession",
            name="remote_response_id",
            field=models.TextField(blank=True, default="", verbose_name="remote response"),
        ),
    ]
