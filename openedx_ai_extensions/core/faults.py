"""Faults of ours, without their words, which may hold a learner's."""

from __future__ import annotations

import logging
import traceback
import uuid

from django.utils.translation import gettext as _

from openedx_ai_extensions.exceptions import AIExtensionsError

logger = logging.getLogger(__name__)

FRAMES = 6  # of a traceback, the innermost


def unexpected(error: BaseException, event: str) -> AIExtensionsError:
    """Log a fault under a reference; returns the error to tell.

    Args:
        error: what was raised.
        event: the name of the line in the log.
    """
    reference = uuid.uuid4().hex[:12]
    logger.error("%s ref=%s type=%s at=%s", event, reference, type(error).__name__, where(error))
    return AIExtensionsError(_("Something went wrong. Reference: {reference}").format(reference=reference))


def where(error: BaseException) -> str:
    """The functions in which an error was raised, with their lines."""
    frames = list(traceback.walk_tb(error.__traceback__))[-FRAMES:]
    return " > ".join(f"{frame.f_code.co_qualname}:{line}" for frame, line in frames)
