import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("openedx_ai_extensions", "0007_try_workflow"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # With a default in the database, unlike what Django makes: processes of the release before, which do not know the
        # column, still insert rows while a site is updated.
        migrations.RunSQL(
            "ALTER TABLE openedx_ai_extensions_aipause ADD COLUMN is_of_course_staff bool NOT NULL DEFAULT false",
            "ALTER TABLE openedx_ai_extensions_aipause DROP COLUMN is_of_course_staff",
            state_operations=[
                migrations.AddField(
                    model_name="aipause",
                    name="is_of_course_staff",
                    field=models.BooleanField(default=False, editable=False, verbose_name="set by course staff"),
                ),
            ],
        ),
        migrations.AddField(
            model_name="aipause",
            name="switched_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="last switched"),
        ),
        migrations.AddField(
            model_name="aipause",
            name="switched_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="last switched by",
            ),
        ),
    ]
