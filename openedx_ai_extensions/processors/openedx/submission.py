"""``SubmissionProcessor``: stores a session's conversation in edx-submissions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, TypeVar

from django.db import DatabaseError, IntegrityError, router, transaction
from django.utils import timezone
from submissions import api
from submissions.errors import SubmissionInternalError
from submissions.models import ACTIVE, StudentItem, Submission

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.long_waits import reconnect
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.processors.base import Processor
from openedx_ai_extensions.processors.openedx import history
from openedx_ai_extensions.processors.openedx.history import Turn

logger = logging.getLogger(__name__)

ITEM_TYPE = "openedx_ai_extensions_chat"
ATTEMPT_NUMBER = 1  # conversations have no attempts
ANSWER_GRACE_SECONDS = 30  # after the longest possible answer, before a question without an answer counts as failed
MAX_ATTEMPTS = 5  # of a write, if concurrent requests of one person collide
FIRST_WAIT_SECONDS = 0.05  # doubles each time

Value = TypeVar("Value")


class SubmissionProcessor(Processor):
    """Reads and writes the conversation of one session, as the profile's ``SubmissionProcessor`` configures.

    The learner's message is one submission, stored before the model is asked; the answer is another one, stored
    afterwards. Each is a JSON list of messages; longer ones are split into several submissions. Reading the last
    messages takes constant time. A dry run reads and writes nothing.

    Configuration: ``max_context_messages``, the number of messages for the model and for a widget.

    Args:
        processor_config: the profile's whole ``processor_config``.
        user_session: an ``AIWorkflowSession``.
    """

    def __init__(self, processor_config: Mapping[str, Any] | None, user_session: Any) -> None:
        super().__init__(processor_config)
        self.session = user_session
        # Of a session that is stored; kept here because a deleted one loses its primary key.
        self._item = user_session.pk and {
            "student_id": str(user_session.user_id),
            "course_id": str(user_session.course_id or "-"),  # submissions require a value
            "item_id": str(user_session.pk),
            "item_type": ITEM_TYPE,
        }
        self._item_id: int | None = None

    @property
    def max_context_messages(self) -> int:
        configured: int | None = self.config.get("max_context_messages")
        return configured or conf.get("AI_EXTENSIONS_MAX_CONTEXT_MESSAGES")

    def recent(self, messages: int | None = None) -> tuple[list[Turn], bool]:
        """The last turns, oldest first, and whether there are older ones.

        Args:
            messages: the minimum number of shown messages, if there are that many; ``max_context_messages`` by default.
        """
        wanted = messages or self.max_context_messages
        limit = wanted + 2  # most turns are two submissions of one message each
        while True:
            found = self._newest(limit)
            turns = self._turns(found)
            has_older = len(found) == limit
            if not has_older or sum(len(turn.shown()) for turn in turns) > wanted:
                return turns, has_older
            limit *= 2

    def everything(self) -> list[Turn]:
        """All turns, oldest first."""
        return self._turns(self._newest(None))

    @staticmethod
    def _turns(newest_first: Sequence[Submission]) -> list[Turn]:
        overdue = timezone.now() - timedelta(seconds=conf.longest_answer() + ANSWER_GRACE_SECONDS)
        return history.turns(reversed(newest_first), overdue=overdue)

    def _newest(self, limit: int | None) -> Sequence[Submission]:
        """The submissions, newest first.

        The first call for a session creates its student item: then concurrent first requests cannot fail at that after
        the provider was called.
        """
        if not self._item:
            return ()
        item = self._item
        place = (item["course_id"], item["student_id"], item["item_id"], ACTIVE)
        query, values = (_newest_sql(), place) if limit is None else (f"{_newest_sql()} LIMIT %s", (*place, limit))
        found = _retried(lambda: list(Submission.objects.raw(query, values)))
        self._item_id = found[0].student_item_id if found else _retried(self._create_item)
        return found

    def _create_item(self) -> int | None:
        """Create the student item, or find it; returns its primary key. None, and no item, if the session was deleted:
        after a retirement nothing may be stored.
        """
        sessions = type(self.session).objects.filter(pk=self.session.pk)
        with transaction.atomic(using=router.db_for_write(type(self.session))):
            # The update takes a lock: the session cannot be deleted before the transaction ends.
            if not sessions.update(updated_at=timezone.now()):
                return None
            item, _is_new = StudentItem.objects.get_or_create(**self._item)
        return int(item.pk)

    def add(
        self,
        turn: str,
        messages: Sequence[Mapping[str, Any]],
        *,
        start: int = 0,
        attempt: int = 1,
        status: str = "",
        code: str = "",
    ) -> str:
        """Store messages of a turn.

        Args:
            turn: the turn's id.
            messages: in OpenAI's chat format.
            start: position of the first message in the turn.
            attempt: the number of attempts of the turn.
            status, code: set on the last message, see ``Turn``.

        Returns:
            The UUID of the last submission; empty if nothing was stored because the session was deleted.
        """
        if self._item and self._item_id is None:
            self._item_id = _retried(self._create_item)
        if self._item_id is None:
            return ""
        now = timezone.now()
        stamped = [{**message, "timestamp": now.isoformat()} for message in messages]
        if status:
            stamped[-1] |= {"status": status, **({"code": code} if code else {})}
        uuid = ""
        for answer in history.submissions(history.stored(turn, attempt, start, stamped), Submission.MAXSIZE):
            # The library's function would read the student item twice for each submission.
            submission = Submission(
                student_item_id=self._item_id, answer=answer, submitted_at=now, attempt_number=ATTEMPT_NUMBER
            )
            if not _retried(partial(_insert, submission)):
                return ""
            uuid = str(submission.uuid)
        return uuid

    def clear(self) -> None:
        """Delete the conversation, also that of a deleted session."""
        item = self._item
        if item:
            _retried(
                lambda: api.reset_score(
                    item["student_id"], item["course_id"], item["item_id"], clear_state=True, emit_signal=False
                )
            )


@lru_cache(maxsize=1)
def _newest_sql() -> str:
    """Written by hand: building it with the ORM takes longer than running it."""
    submissions, items = Submission._meta.db_table, StudentItem._meta.db_table
    return f"""
        SELECT submission.* FROM {submissions} submission JOIN {items} item ON item.id = submission.student_item_id
        WHERE item.course_id = %s AND item.student_id = %s AND item.item_id = %s AND submission.status = %s
        ORDER BY submission.submitted_at DESC, submission.id DESC"""  # noqa: S608  # the library's names


def _insert(submission: Submission) -> bool:
    """Insert a submission. Returns False if the person was retired meanwhile."""
    try:
        submission.save(force_insert=True)
    except IntegrityError:
        # The foreign key guards it: the retirement deleted the student item.
        return False
    return True


def _retried(call: Callable[[], Value]) -> Value:
    """Call the database; retry if concurrent requests of one person collide."""
    for number in range(MAX_ATTEMPTS):
        try:
            return call()
        except (SubmissionInternalError, DatabaseError) as error:
            logger.warning("submissions.failed attempt=%s error=%s", number + 1, type(error).__name__)
            reconnect()
            if number == MAX_ATTEMPTS - 1:
                # The errors of databases can quote the data to store.
                raise AIExtensionsError from None
        time.sleep(FIRST_WAIT_SECONDS * 2**number)
    raise AssertionError("unreachable")
