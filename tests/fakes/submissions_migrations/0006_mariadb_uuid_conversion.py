"""Only the column that exists."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("submissions", "0005_CreateTeamModel")]
    operations = [migrations.RunSQL("ALTER TABLE submissions_submission MODIFY uuid uuid NOT NULL")]
