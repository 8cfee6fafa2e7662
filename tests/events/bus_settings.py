"""The test site, on the event bus: what a consumer's process runs with, ``python -m django consume_events``."""

import json
import os

from tests.settings import *  # noqa: F403

# Before our plugin, as on the platform: the bus looks for our event type as soon as it is ready.
INSTALLED_APPS.insert(0, "openedx_events")  # noqa: F405

AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER = True
EVENT_BUS_CONSUMER = "edx_event_bus_redis.RedisEventConsumer"
EVENT_BUS_PRODUCER = "edx_event_bus_redis.create_producer"
EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT = 1
EVENT_BUS_PRODUCER_CONFIG = {
    "org.openedx.ai_extensions.orchestration.requested.v1": {
        os.environ["BUS_TOPIC"]: {"event_key_field": "orchestration.user_id", "enabled": True}
    }
}
# The database, cache, provider and Redis of the test.
globals().update(json.loads(os.environ["BUS_SETTINGS"]))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"out": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["out"], "level": "INFO"},
}
