"""Runs the workflow that an event asks for: with the checks of a REST request, but without a response."""

from __future__ import annotations

import json
import logging
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from openedx_ai_extensions.core.error_reports import where
from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.events.signals import AIOrchestrationData
from openedx_ai_extensions.exceptions import AIExtensionsError, InvalidRequest, NotAllowed
from openedx_ai_extensions.execution.answers import Stream
from openedx_ai_extensions.execution.execution import SlotLocation
from openedx_ai_extensions.runtime import admit, run
from openedx_ai_extensions.runtime.replay import Claim

logger = logging.getLogger(__name__)

MAX_ID_DIGITS = 19  # all numbers of fewer digits fit into a database's 64 bits
REMEMBERED = 86_400  # seconds in which a bus may deliver an event again


def run_requested(orchestration: AIOrchestrationData, event_id: UUID) -> None:
    """Run it, once for each event, and log how it went. Never raises: a sender has no part in our faults."""
    try:
        with Claim(f"openedx_ai_extensions.event.{event_id.hex}", REMEMBERED):
            _run(orchestration, event_id.hex)
    except AIExtensionsError as error:
        logger.info("event.orchestration.refused event=%s code=%s", event_id.hex, error.code)
    except Exception as error:  # noqa: BLE001  # not hidden: logged, without its words, which may hold a learner's
        logger.error(
            "event.orchestration.failed event=%s type=%s at=%s", event_id.hex, type(error).__name__, where(error)
        )
    else:
        logger.info("event.orchestration.completed event=%s", event_id.hex)


def _run(orchestration: AIOrchestrationData, run_id: str) -> None:
    """Check what REST checks, in its order, then run.

    Raises:
        AIExtensionsError: as REST would answer.
    """
    course_key, usage_key = parse_place(orchestration.course_id or None, orchestration.location_id or None)
    user_input = _user_input(orchestration.user_input)
    # Senders may put anything there; texts of numbers are ids, too.
    is_id = str(orchestration.user_id).isdecimal() and len(str(orchestration.user_id)) < MAX_ID_DIGITS
    user = get_user_model().objects.filter(pk=orchestration.user_id).first() if is_id else None
    if user is None:
        raise NotAllowed
    outcome = run(
        admit(
            user,
            SlotLocation(course_key, usage_key, orchestration.ui_slot_selector_id),
            action=orchestration.action,
            user_input=user_input,
            run_id=run_id,
            accepts_stream=False,
        )
    )
    if isinstance(outcome, Stream):
        # Some orchestrators know no other way; what it does at its end, it does when it was read.
        for _chunk in outcome:
            pass


def _user_input(raw: str) -> Any:
    """The JSON value; None for an empty text.

    Raises:
        InvalidRequest: it is not JSON.
    """
    if not raw:
        return None
    try:
        value = json.loads(raw, parse_constant=_no_json)
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)  # 1e999 becomes an infinity
    except (ValueError, RecursionError):
        raise InvalidRequest(_("user_input is not JSON.")) from None
    # Half a character, which JSON can say and a database cannot hold, becomes a question mark.
    return json.loads(written.encode("utf-8", "replace"))


def _no_json(constant: str) -> None:
    """Python reads NaN and Infinity, which are not JSON."""
    raise ValueError(constant)
