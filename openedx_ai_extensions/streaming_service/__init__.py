"""Streams without the workers of the LMS: an ASGI application for ``POST workflows/`` and nothing else.

``DJANGO_SETTINGS_MODULE=… uvicorn openedx_ai_extensions.streaming_service:application``
"""

from openedx_ai_extensions.streaming_service.service import StreamingService

__all__ = ["StreamingService", "application"]

application = StreamingService()
