from typing import Any

from django.db import migrations, models
from opaque_keys.edx.django.models import CourseKeyField


def keep_on_what_is_used(apps: Any, schema_editor: Any) -> None:
    """Every scope without a course answered outside of courses too; those that people used there go on doing so."""
    alias = schema_editor.connection.alias
    scopes = apps.get_model("openedx_ai_extensions", "AIWorkflowScope").objects.using(alias)
    sessions = apps.get_model("openedx_ai_extensions", "AIWorkflowSession").objects.using(alias)
    runs = apps.get_model("openedx_ai_extensions", "AIWorkflowRun").objects.using(alias)
    outside = {"course_id": CourseKeyField.Empty}
    remembered = set(sessions.filter(**outside).values_list("scope", flat=True).distinct())
    answered = set(
        runs.filter(**outside).exclude(outcome="refused").values_list("profile", "ui_slot_selector_id").distinct()
    )
    for scope in scopes.filter(**outside):
        is_used = scope.pk in remembered or (scope.profile_id, scope.ui_slot_selector_id) in answered
        if is_used and not scope.location_regex:
            scopes.filter(pk=scope.pk).update(outside_courses=True)


class Migration(migrations.Migration):
    dependencies = [
        ("openedx_ai_extensions", "0010_refusals"),
    ]

    operations = [
        # With a default in the database, as in 0008: the release before does not know the column.
        migrations.RunSQL(
            "ALTER TABLE openedx_ai_extensions_aiworkflowscope ADD COLUMN outside_courses bool NOT NULL DEFAULT false",
            "ALTER TABLE openedx_ai_extensions_aiworkflowscope DROP COLUMN outside_courses",
            state_operations=[
                migrations.AddField(
                    model_name="aiworkflowscope",
                    name="outside_courses",
                    field=models.BooleanField(
                        default=False,
                        help_text="Answer also where a widget names no course. No course's pauses, limits or enrolments hold there: whoever has an account can use it.",
                        verbose_name="outside of courses",
                    ),
                ),
            ],
        ),
        migrations.RunPython(keep_on_what_is_used, migrations.RunPython.noop, elidable=True),
    ]
