"""A site in a process of its own, whose provider sends values of types that nobody expects.

It writes the statuses of its answers to standard output. What it writes to standard error is what a server would log.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

import django


def whole(content: Any, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    """An answer as chat completions."""
    said = {"role": "assistant", "content": content, **message}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-fake",
        "choices": [{"index": 0, "message": said, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def call(arguments: Any) -> dict[str, Any]:
    """An answer that calls a tool."""
    function = {"name": "roll_dice", "arguments": arguments}
    return whole(None, "tool_calls", tool_calls=[{"id": "a", "type": "function", "function": function}])


PRIVATE = "PRIVATE words"
ANSWERS = [
    call({"q": PRIVATE}),
    call([PRIVATE]),
    whole([{"type": "text", "text": PRIVATE}]),
    whole({"x": PRIVATE}),
    whole(PRIVATE, PRIVATE),
    {**whole(PRIVATE), "usage": {"prompt_tokens": PRIVATE, "completion_tokens": [PRIVATE]}},
]

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.DATABASES["default"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    settings.LOGGING_CONFIG = None
    logging.disable()
    django.setup()

    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import override_settings

    from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
    from tests.api.conftest import Api
    from tests.conftest import COURSE_ID, SLOT
    from tests.fakes.provider import FakeProvider
    from tests.fakes.steps import Wire

    call_command("migrate", verbosity=0)
    patch = {"processor_config": {"LLMProcessor": {"enabled_tools": ["roll_dice"], "stream": False}}}
    profile = AIWorkflowProfile.objects.create(
        slug="tutor", base_filepath="base/ask.json5", content_patch=json.dumps(patch)
    )
    AIWorkflowScope.objects.create(profile=profile, course_id=COURSE_ID, ui_slot_selector_id=SLOT)
    api = Api(get_user_model().objects.create_superuser("person"))
    with FakeProvider() as provider:
        entry = {"MODEL": "openai/gpt-fake", "API_KEY": "k", "API_BASE": provider.base_url}
        with override_settings(AI_EXTENSIONS={"default": entry}, AI_EXTENSIONS_PROVIDER_DEFAULTS={"MAX_RETRIES": 0}):
            for answer in ANSWERS:
                provider.then(Wire(whole=answer))
                sys.stdout.write(f"{api.run('Why?').status_code} ")
