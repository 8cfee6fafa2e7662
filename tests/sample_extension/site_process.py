"""The test site with whatever plugins are installed: prepares itself, and does what it is told over REST.

Run as ``python site_process.py DIRECTORY SETTINGS``, the settings to change as JSON. For each line on standard input, a
JSON object with ``method``, ``path``, ``body`` and ``accept``, it writes a line: a JSON object with ``status`` and
``body``. It is the learner who asks.
"""

import json
import os
import sys
from pathlib import Path

import django
from django.conf import settings

if __name__ == "__main__":
    directory, changed = sys.argv[1:]
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    for name, value in json.loads(changed).items():
        setattr(settings, name, value)
    settings.DATABASES["default"]["NAME"] = Path(directory) / "site.sqlite3"
    django.setup()

    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client

    from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
    from tests.conftest import COURSE_ID

    call_command("migrate", verbosity=0)
    call_command("check", databases=["default"], stdout=sys.stderr)
    own_server = {
        "orchestrator_class": "DirectLLMResponse",
        "processor_config": {"LLMProcessor": {"provider": "vllm", "prompt": "Say hello."}},
    }
    for name, template, patch in (("plan", "plan", {}), ("countdown", "countdown", {}), ("vllm", "plan", own_server)):
        profile = AIWorkflowProfile(slug=name, base_filepath=f"study/{template}.json5", content_patch=json.dumps(patch))
        profile.full_clean()
        profile.save()
        AIWorkflowScope.objects.create(profile=profile, course_id=COURSE_ID, ui_slot_selector_id=name)

    client = Client()
    client.force_login(get_user_model().objects.create_user("learner"))
    for line in sys.stdin:
        asked = json.loads(line)
        headers = {"accept": asked["accept"]}
        if asked["method"] == "GET":
            response = client.get(asked["path"], headers=headers)
        else:
            response = client.post(asked["path"], asked["body"], content_type="application/json", headers=headers)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        sys.stdout.write(json.dumps({"status": response.status_code, "body": content.decode()}) + "\n")
        sys.stdout.flush()
