"""The Celery app of a real worker, found by the plugin's ``tasks`` module as in the platform."""

from celery import Celery
from celery.signals import celeryd_init

APP = Celery("tests-worker")
APP.config_from_object("django.conf:settings", namespace="CELERY")
APP.autodiscover_tasks()


@celeryd_init.connect
def warm_up(**_kwargs: object) -> None:
    """Import LiteLLM before the first child is made: time limits of seconds shall measure runs only."""
    from openedx_ai_extensions.processors.llm.provider import library

    library.warm_up()
