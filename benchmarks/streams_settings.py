"""The test site as separate processes serve it for ``benchmarks.streams``."""

import os

from tests.settings import *  # noqa: F403  # settings
from tests.settings import AI_EXTENSIONS_STANDALONE, DATABASES

# The first process makes it, as a test database; the others just open it.
NAME = os.environ["BENCHMARK_DATABASE"]
DATABASES["default"] |= {"NAME": NAME, "TEST": {**DATABASES["default"].get("TEST", {}), "NAME": NAME}}
AI_EXTENSIONS = {"default": {"MODEL": "openai/fake", "API_KEY": "k", "API_BASE": os.environ["BENCHMARK_PROVIDER"]}}
AI_EXTENSIONS_STANDALONE = {"COURSES": [{**AI_EXTENSIONS_STANDALONE["COURSES"][0], "learners": "*"}]}
AI_EXTENSIONS_STREAMS = {"PER_PROCESS": int(os.environ.get("BENCHMARK_MAX_STREAMS", "1000"))}
# Events go to a broker, as in production, rather than being delivered within the request.
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_URL = "memory://"
