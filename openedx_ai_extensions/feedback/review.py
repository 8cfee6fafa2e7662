"""What staff do: count feedback, read it together with its turn, and answer it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DatabaseError, router, transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_noop

from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.feedback.models import AnswerFeedback
from openedx_ai_extensions.policy.audit_log import record
from openedx_ai_extensions.workflows.session import AIWorkflowSession

logger = logging.getLogger(__name__)

VIEW_TRANSCRIPT = "openedx_ai_extensions.view_transcript"
MAX_COUNTED_GROUPS = 20
# What feedback is counted by.
BY_VERSION = ("profile_slug", "profile_version")
BY_MODEL = ("provider", "model")
BY_PLACE = ("course_id", "location_id")


def counts(rows: QuerySet[AnswerFeedback], by: Sequence[str]) -> list[dict[str, Any]]:
    """The numbers of ratings and reports of each group, those with the most problems first.

    Args:
        by: the fields that the rows of a group have in common.

    Returns:
        Each has these fields, ``up``, ``down``, ``reported`` and ``open``. At most ``MAX_COUNTED_GROUPS``.
    """
    groups = (
        rows.order_by()
        .values(*by)
        .annotate(
            up=Count("pk", filter=Q(rating=AnswerFeedback.Rating.UP)),
            down=Count("pk", filter=Q(rating=AnswerFeedback.Rating.DOWN)),
            # Not the name of the field, which it would hide from the filter.
            reports=Count("pk", filter=Q(reported=True)),
            open=Count("pk", filter=Q(state=AnswerFeedback.State.OPEN)),
        )
    )
    return list(groups.order_by("-reports", "-down", "-up", *by)[:MAX_COUNTED_GROUPS])


def reply(feedback: AnswerFeedback, staff: Person, *, state: str, note: str) -> bool:
    """Store the state and the note. A new note to open feedback answers it, and is unread.

    Returns:
        Whether it is stored: not if the person has withdrawn the feedback in the meantime.
    """
    note = note.replace("\r\n", "\n").strip()  # browsers send CRLF
    with transaction.atomic(using=router.db_for_write(AnswerFeedback)):
        # Only these columns: the person may be changing the others.
        stored = AnswerFeedback.objects.select_for_update().filter(pk=feedback.pk).first()
        if stored is None:
            return False
        if note != stored.note:
            stored.note, stored.note_is_unread = note, bool(note)
            stored.noted_by_id = staff.pk if note else None
            if note and state == AnswerFeedback.State.OPEN:
                state = AnswerFeedback.State.ANSWERED
        stored.state = state
        stored.save(update_fields=["state", "note", "note_is_unread", "noted_by"])
    return True


def may_read_turn(person: Any) -> bool:
    return bool(person.has_perm(VIEW_TRANSCRIPT))


def read_turn(feedback: AnswerFeedback, reader: Any) -> list[Mapping[str, Any]]:
    """The question and the answer, and record in the session's history that they were read.

    Args:
        reader: somebody who may read transcripts.

    Returns:
        Messages ``{"role", "content"}`` with the roles ``user`` and ``assistant``, without credentials; none if the
        turn is not stored, or not any more.
    """
    sessions = AIWorkflowSession.objects.filter(
        user_id=feedback.user_id,
        profile_id=feedback.profile_id,
        course_id=feedback.course_id,
        location_id=feedback.location_id,
    )
    for session in sessions.select_related("profile"):
        turn = _turn_in(session, feedback.run_id)
        if turn and _is_recorded(session, reader):
            secrets = configured_secrets()
            return [{**message, "content": masked_text(message["content"], secrets)} for message in turn]
    return []


def _turn_in(session: AIWorkflowSession, run_id: str) -> list[dict[str, str]]:
    kept = session.kept_answer
    if kept and kept.get("run_id") == run_id:
        question, text = kept["question"], kept["text"]
        return [{"role": "user", "content": question}] * bool(question) + [{"role": "assistant", "content": text}]
    try:
        thread = session.get_local_thread() or []
    except AIExtensionsError:
        return []
    end = next((place for place, message in enumerate(thread) if message.get("run_id") == run_id), None)
    if end is None:
        return []
    roles = [message["role"] for message in thread[: end + 1]]
    start = len(roles) - 1 - roles[::-1].index("user") if "user" in roles else 0
    shown = [message for message in thread[start : end + 1] if message["role"] in {"user", "assistant"}]
    return [{"role": message["role"], "content": message["content"]} for message in shown if message["content"]]


def _is_recorded(session: AIWorkflowSession, reader: Any) -> bool:
    # Django translates a message of this form for each reader of the history.
    message = [{"added": {"name": gettext_noop("transcript view"), "object": "feedback"}}]
    try:
        with transaction.atomic():
            record(reader, session, json.dumps(message))
    except DatabaseError as error:
        # Not the error's text: databases repeat values in it.
        names = (session.pk, reader.pk, type(error).__name__)
        logger.error("session.transcript.unrecorded session=%s viewer=%s thread=feedback error=%s", *names)
        return False
    logger.info("session.transcript.viewed session=%s viewer=%s thread=feedback", session.pk, reader.pk)
    return True
