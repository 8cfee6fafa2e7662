"""Old conversations in edx-submissions, written again the way ours are. The old submissions stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from submissions.models import StudentItem, Submission

from openedx_ai_extensions.contrib.upgrade.old_rows import Row, as_uuid, moment, parsed
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.processors.openedx import history
from openedx_ai_extensions.processors.openedx.submission import ITEM_TYPE

Message = dict[str, Any]


def items_of(key: Any, user_id: Any, local_submission: Any) -> set[int]:
    """The ids of the student items in which an old session's conversation is; never another person's.

    Args:
        key: the old session's.
        local_submission: what the session names as its submission.
    """
    identifier = as_uuid(key)
    names = {str(key)} if identifier is None else {str(identifier), identifier.hex}
    found = Q(item_type=ITEM_TYPE, item_id__in=names)
    submission = as_uuid(local_submission)
    if submission is not None:
        found |= Q(pk__in=Submission._objects.filter(uuid=submission).values("student_item_id"))
    return set(StudentItem.objects.filter(found, student_id=str(user_id)).values_list("pk", flat=True))


def last_item() -> int:
    """The greatest number that any conversation was filed under: later sessions must not find it as their own."""
    names = StudentItem.objects.filter(item_type=ITEM_TYPE).values_list("item_id", flat=True)
    numbers = (int(name) for name in names.iterator() if name.isascii() and name.isdigit() and len(name) < 19)
    return max(numbers, default=0)


def rewrite(row: Row, key: str, session: AIWorkflowSession) -> list[str]:
    """Write an old session's conversation as that of a session of ours.

    Args:
        row: the old session.
        key: its column that is the key.
        session: ours, saved; told of its last submission.

    Returns:
        What of it could not be read.
    """
    items = items_of(row[key], row["user_id"], row.get("local_submission_id"))
    old = Submission.objects.filter(student_item_id__in=items).order_by("submitted_at", "id")
    lost = 0
    said: list[Message] = []
    for submission in old:
        messages = list(_messages(submission.answer, submission.submitted_at))
        lost += not messages
        # One that repeats the conversation from its beginning adds only what is new.
        is_replay = said and [_words(message) for message in messages[: len(said)]] == list(map(_words, said))
        said += messages[len(said) :] if is_replay else messages
    if said:
        session.local_submission_id = _store(said, session)
    return [f"submissions that hold no messages: {lost}"] if lost else []


def _messages(answer: Any, submitted: datetime) -> Iterator[Message]:
    """The words of the learner and of the model in an answer; what tools and instructions said is left out."""
    value = parsed(answer)
    if isinstance(value, Mapping):
        inner = value.get("messages", value.get("answer", value.get("parts")))
        value = [value] if "role" in value else parsed(inner)
    for message in value if isinstance(value, list) else ():
        if not isinstance(message, Mapping) or message.get("role") not in {"user", "assistant"}:
            continue
        content = message.get("content")
        if isinstance(content, str) and content.strip():
            time = moment(message.get("timestamp")) if isinstance(message.get("timestamp"), str) else None
            yield {"role": message["role"], "content": content, "timestamp": (time or submitted).isoformat()}


def _words(message: Mapping[str, Any]) -> tuple[Any, Any]:
    return message["role"], message["content"]


def _turns(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """A turn begins with what the learner said; what the model said first is a greeting."""
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
        # Read by time: a clock that went back must not change the order.
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
