"""More streams at once than a process of the streaming service has room for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from openedx_ai_extensions.exceptions import ServiceUnavailable

FULL = "openedx_ai_extensions.is_full"  # key of the WSGI environment, by which the service says so
RETRY_AFTER = 10  # seconds


def require_room(request: Request) -> None:
    """Raises ServiceUnavailable if the process has as many streams as it takes."""
    if request.META.get(FULL):
        raise ServiceUnavailable(
            _("Many people are using the AI right now. Please try again in a moment."), retry_after=RETRY_AFTER
        )
