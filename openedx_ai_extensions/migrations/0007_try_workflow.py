from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("openedx_ai_extensions", "0006_profile_versions"),
    ]

    operations = [
        migrations.CreateModel(
            name="AITryIt",
            fields=[],
            options={
                "verbose_name": "try a workflow",
                "verbose_name_plural": "try a workflow",
                "permissions": (
                    ("try_workflow", "Can try AI workflows out"),
                    ("try_as_another", "Can try AI workflows out, and read courses, as another person sees them"),
                ),
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("openedx_ai_extensions.aiworkflowprofile",),
        ),
        migrations.CreateModel(
            name="AIModelView",
            fields=[],
            options={
                "verbose_name": "what would the model see?",
                "verbose_name_plural": "what would the model see?",
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("openedx_ai_extensions.aiworkflowprofile",),
        ),
        migrations.CreateModel(
            name="AIHealth",
            fields=[],
            options={
                "verbose_name": "health",
                "verbose_name_plural": "health",
                "permissions": (("view_health", "Can see whether AI works, and ask providers for a sign of life"),),
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("openedx_ai_extensions.aiworkflowprofile",),
        ),
    ]
