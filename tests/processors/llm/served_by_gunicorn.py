"""A WSGI application that tells whether LiteLLM was imported: when the application was loaded, and now."""

import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
settings.AI_EXTENSIONS_PRELOAD = os.environ["PRELOAD"] == "yes"
get_wsgi_application()


def is_loaded():
    """Whether it is imported and configured."""
    return getattr(sys.modules.get("litellm"), "disable_streaming_logging", False)


was_loaded = is_loaded()


def application(_environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{was_loaded} {is_loaded()}".encode()]
