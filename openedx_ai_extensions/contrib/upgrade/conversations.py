"""Copies old conversations in edx-submissions to our format. The old submissions do not change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from submissions.models import StudentItem, Submission

from openedx_ai_extensions.contrib.upgrade.old_tables import Row, as_json, as_time, as_uuid
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.processors.openedx import history
from openedx_ai_extensions.processors.openedx.submission import ITEM_TYPE

Message = dict[str, Any]


def items_of(key: Any, user_id: Any, local_submission: Any) -> set[int]:
    """The ids of the student items with an old session's conversation, never of another person.

    Args:
        key: of the old session.
        local_submission: the submission that the session names.
    """
    identifier = as_uuid(key)
    names = {str(key)} if identifier is None else {str(identifier), identifier.hex}
    found = Q(item_type=ITEM_TYPE, item_id__in=names)
    submission = as_uuid(local_submission)
    if submission is not None:
        found |= Q(pk__in=Submission._objects.filter(uuid=submission).values("student_item_id"))
    return set(StudentItem.objects.filter(found, student_id=str(user_id)).values_list("pk", flat=True))


def last_item() -> int:
    """The greatest session id of any conversation: a new session with this id would find it as its own."""
    names = StudentItem.objects.filter(item_type=ITEM_TYPE).values_list("item_id", flat=True)
    numbers = (int(name) for name in names.iterator() if name.isascii() and name.isdigit() and len(name) < 19)
    return max(numbers, default=0)


def rewrite(row: Row, key: str, session: AIWorkflowSession) -> list[str]:
    """Copy an old session's conversation to a session of ours.

    Args:
        row: the old session.
        key: the name of its key column.
        session: ours, saved; gets its ``local_submission_id``.

    Returns:
        Notes about what could not be read.
    """
    items = items_of(row[key], row["user_id"], row.get("local_submission_id"))
    old = Submission.objects.filter(student_item_id__in=items).order_by("submitted_at", "id")
    unreadable = 0
    conversation: list[Message] = []
    for submission in old:
        messages = list(_messages(submission.answer, submission.submitted_at))
        unreadable += not messages
        # A submission may repeat the whole conversation so far.
        known = list(map(_content, conversation))
        repeats = known and list(map(_content, messages[: len(known)])) == known
        conversation += messages[len(known) :] if repeats else messages
    if conversation:
        session.local_submission_id = _store(conversation, session)
    return [f"submissions without messages: {unreadable}"] if unreadable else []


def _messages(answer: Any, submitted: datetime) -> Iterator[Message]:
    """The messages of the learner and the model in a submission, without those of tools and instructions."""
    value = as_json(answer)
    if isinstance(value, Mapping):
        inner = value.get("messages", value.get("answer", value.get("parts")))
        value = [value] if "role" in value else as_json(inner)
    for message in value if isinstance(value, list) else ():
        if not isinstance(message, Mapping) or message.get("role") not in {"user", "assistant"}:
            continue
        content = message.get("content")
        if isinstance(content, str) and content.strip():
            time = as_time(message.get("timestamp")) if isinstance(message.get("timestamp"), str) else None
            yield {"role": message["role"], "content": content, "timestamp": (time or submitted).isoformat()}


def _content(message: Mapping[str, Any]) -> tuple[Any, Any]:
    return message["role"], message["content"]


def _turns(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Each turn begins with a message of the learner; the model may begin the first one with a greeting."""
    turn: list[Message] = []
    for message in messages:
        if message["role"] == "user" and turn:
            yield turn
            turn = []
        turn.append(message)
    if turn:
        yield turn


def _store(messages: Sequence[Message], session: AIWorkflowSession) -> str:
    """Returns the UUID of the last submission."""
    item = StudentItem.objects.create(
        student_id=str(session.user_id),
        course_id=str(session.course_id or "-"),
        item_id=str(session.pk),
        item_type=ITEM_TYPE,
    )
    submissions: list[Submission] = []
    time = datetime.min.replace(tzinfo=UTC)
    for turn in _turns(messages):
        # Submissions are read by time: a clock that was set back must not change the order.
        time = max(time, datetime.fromisoformat(turn[0]["timestamp"]))
        stored = history.stored(history.new_turn_id(), 1, 0, turn)
        submissions += [
            Submission(student_item=item, answer=answer, attempt_number=1, submitted_at=time, created_at=time)
            for answer in history.submissions(stored, Submission.MAXSIZE)
        ]
    Submission.objects.bulk_create(submissions)
    return str(submissions[-1].uuid)


def forget(rows: Iterable[Row], key: str) -> int:
    """Delete the old submissions of old sessions; returns how many."""
    found: set[int] = set()
    for row in rows:
        found |= items_of(row[key], row.get("user_id"), row.get("local_submission_id"))
    deleted: int = Submission._objects.filter(student_item_id__in=found).count()
    StudentItem.objects.filter(pk__in=found).delete()
    return deleted
