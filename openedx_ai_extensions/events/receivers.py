"""What the app does when a signal comes: one of ours over the event bus, or one of the platform's."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from celery import shared_task
from django.contrib.auth import get_user_model
from django.db import transaction
from django.dispatch import receiver
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError
from openedx_events.data import EventsMetadata

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.error_reports import where
from openedx_ai_extensions.core.hooks import provides
from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.events.signals import AI_ORCHESTRATION_REQUESTED, AIOrchestrationData
from openedx_ai_extensions.exceptions import AIExtensionsError, InvalidRequest, NotAllowed
from openedx_ai_extensions.execution.answers import Stream
from openedx_ai_extensions.execution.execution import SlotLocation
from openedx_ai_extensions.runtime import admit, retirement, run
from openedx_ai_extensions.runtime.retirement import ProviderThread, Retired, retire_user
from openedx_ai_extensions.runtime.runner import Claim

logger = logging.getLogger(__name__)

MAX_ID_DIGITS = 19  # all numbers of fewer digits fit into a database's 64 bits
REMEMBERED = 86_400  # seconds in which a bus may deliver an event again
# A provider may store an answer some seconds after it was abandoned. Before that, there is nothing to delete.
ANSWER_SETTLES_SECONDS = 10
FIRST_WAIT = 60  # seconds; quadruples
# Seconds: less than the hour after which a Redis broker takes a message that waits for a lost one, and sends it again.
LONGEST_WAIT = 2_700
RETRIES = 34  # about a day


@receiver(AI_ORCHESTRATION_REQUESTED, dispatch_uid="openedx_ai_extensions.run_orchestration")
def run_orchestration(*, orchestration: AIOrchestrationData, metadata: EventsMetadata, **_kwargs: Any) -> None:
    """Run the workflow that an event asks for, where the site has switched this on.

    It runs in the process that gets the event: at once in a consumer of the bus, and after the sender's transaction in
    the sender's own process, so that a fault of ours cannot break it.
    """
    if conf.get("AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER"):
        transaction.on_commit(partial(run_requested, orchestration, metadata.id))


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
        # Some orchestrators always stream. At its end, the stream stores the history and completes the ledger.
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


def retire(*, user: Any, **_kwargs: Any) -> Retired:
    """The platform retires a person: delete what we keep, and have the providers delete what they keep.

    Connected to the platform's signals by the plugin manager, see ``apps``. The platform wants receivers to be quick,
    so the providers are asked by tasks, once the deletion is certain.

    Raises:
        DatabaseError: the platform must try again.
    """
    retired = retire_user(user)
    transaction.on_commit(partial(_forget, retired.threads))
    return retired


@provides("forget_thread")
def forget_thread(provider: str, response_id: str) -> None:
    """Have a provider delete a thread whose session was deleted while an answer arrived."""
    _forget([ProviderThread(provider, response_id)], countdown=ANSWER_SETTLES_SECONDS)


def _forget(threads: Sequence[ProviderThread], *, countdown: int = 0) -> None:
    for position, thread in enumerate(threads):
        try:
            forget_provider_thread.apply_async((thread.provider, thread.response_id), countdown=countdown)
        except OperationalError:
            # Too late to stop the retirement; the ids are all it takes to delete them by hand.
            for left in threads[position:]:
                logger.warning(
                    "retirement.thread.left provider=%s response=%s code=no_broker",
                    left.provider,
                    logged(left.response_id),
                )
            return


@shared_task(bind=True, acks_late=True, ignore_result=True, max_retries=RETRIES)
def forget_provider_thread(self: Any, provider: str, response_id: str) -> None:
    """Have a provider delete a thread; try again, from where it stopped, while the provider fails."""
    forgotten = retirement.forget_thread(ProviderThread(provider, response_id))
    if forgotten.left is None:
        logger.info("retirement.thread.forgotten provider=%s responses=%s", provider, forgotten.responses)
        return
    retries = self.request.retries
    if retries < RETRIES:
        wait = min(FIRST_WAIT * 4**retries, LONGEST_WAIT)
        raise self.retry(args=(provider, forgotten.left.response_id), countdown=wait)
    logger.warning(
        "retirement.thread.left provider=%s response=%s code=%s",
        provider, logged(forgotten.left.response_id), forgotten.error_code,
    )  # fmt: skip
