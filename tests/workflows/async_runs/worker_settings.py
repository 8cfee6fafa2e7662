"""Settings of a real worker: the tests' own, with what the test that started it laid over them."""

import json
import os

from tests.settings import *  # noqa: F403

_OVERRIDES = json.loads(os.environ["WORKER_SETTINGS"])
globals().update(_OVERRIDES)
# What one process caches the others do not know of; a scope of the test before must not be found.
AI_EXTENSIONS_RESOLUTION_MAX_AGE = 0.01
CELERY_TASK_ALWAYS_EAGER = False
EVENT_TRACKING_ENABLED = False
