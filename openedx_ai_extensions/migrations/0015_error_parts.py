from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("openedx_ai_extensions", "0014_plain_labels"),
    ]

    operations = [
        migrations.AddField(
            model_name="aiworkflowasyncrun",
            name="error_parts",
            field=models.JSONField(editable=False, null=True),
        ),
    ]
