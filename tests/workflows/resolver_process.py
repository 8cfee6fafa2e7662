"""Another process of a site: it resolves when told to, and says what it found for how many queries.

Run as ``python resolver_process.py SETTINGS``, with the settings to change as JSON. For each line on standard input,
the name of a slot, it writes a line: the slug of the profile or ``-``, and the number of queries.
"""

import json
import os
import sys

import django
from django.conf import settings

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    for name, value in json.loads(sys.argv[1]).items():
        setattr(settings, name, value)
    django.setup()

    from django.core.signals import request_finished, request_started
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from openedx_ai_extensions.models import AIWorkflowScope
    from tests.conftest import COURSE_ID

    for line in sys.stdin:
        request_started.send(sender=None)
        with CaptureQueriesContext(connection) as queries:
            scope = AIWorkflowScope.get_profile(COURSE_ID, ui_slot_selector_id=line.strip())
        sys.stdout.write(f"{scope.profile.slug if scope else '-'} {len(queries)}\n")
        sys.stdout.flush()
        request_finished.send(sender=None)
