"""Reports of unexpected exceptions: a log line with a reference, and Django's reports with credentials masked.

The text of an exception may contain a learner's words, so it is never logged.
"""

from __future__ import annotations

import logging
import traceback
import uuid

from django.utils.html import escape
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.exceptions import AIExtensionsError

logger = logging.getLogger(__name__)

MAX_FRAMES = 6  # the innermost frames of a traceback


def unexpected(error: BaseException, event: str) -> AIExtensionsError:
    """Log an unexpected exception with a reference. Returns the error for the person, which has the same reference.

    Args:
        error: the exception.
        event: name of the log line.
    """
    reference = uuid.uuid4().hex[:12]
    logger.error("%s ref=%s type=%s at=%s", event, reference, type(error).__name__, where(error))
    return AIExtensionsError(_("Something went wrong. Reference: {reference}").format(reference=reference))


def where(error: BaseException) -> str:
    """The functions and lines in which an exception was raised, innermost last."""
    frames = list(traceback.walk_tb(error.__traceback__))[-MAX_FRAMES:]
    return " > ".join(f"{frame.f_code.co_qualname}:{line}" for frame, line in frames)


class MaskedExceptionReporter(ExceptionReporter):
    """Masks credentials that Django's filter does not know, such as header values and query parameters."""

    def get_traceback_html(self) -> SafeString:
        secrets = configured_secrets()
        return SafeString(masked_text(super().get_traceback_html(), secrets | set(map(escape, secrets))))

    def get_traceback_text(self) -> SafeString:
        return SafeString(masked_text(super().get_traceback_text(), configured_secrets()))
