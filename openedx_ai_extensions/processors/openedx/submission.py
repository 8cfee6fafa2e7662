"""``SubmissionProcessor``: stores a session's conversation in edx-submissions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import DatabaseError, router, transaction
from django.utils import timezone
from submissions import api
from submissions.errors import SubmissionInternalError, SubmissionRequestError
from submissions.models import Submission

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.long_waits import reconnect
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.processors.base import Processor
from openedx_ai_extensions.processors.openedx import history
from openedx_ai_extensions.processors.openedx.history import Turn

logger = logging.getLogger(__name__)


class _AnswerRedactionFilter(logging.Filter):
    """Removes learners' and models' texts from error messages of the library."""

    def filter(self, record: logging.LogRecord) -> bool:
        if ITEM_TYPE in record.getMessage() and record.levelno >= logging.ERROR:
            record.msg, record.args = "Submissions failed for an item of type %s.", (ITEM_TYPE,)
            record.exc_info = record.exc_text = None
        return True


logging.getLogger("submissions.api").addFilter(_AnswerRedactionFilter())

ITEM_TYPE = "openedx_ai_extensions_chat"
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

    @property
    def max_context_messages(self) -> int:
        configured: int | None = self.config.get("max_context_messages")
        return configured or conf.get("AI_EXTENSIONS_MAX_CONTEXT_MESSAGES")

    @property
    def _item(self) -> dict[str, str]:
        return {
            "student_id": str(self.session.user_id),
            "course_id": str(self.session.course_id or "-"),  # submissions require a value
            "item_id": str(self.session.pk),
            "item_type": ITEM_TYPE,
        }

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
    def _turns(newest_first: Sequence[Mapping[str, Any]]) -> list[Turn]:
        overdue = timezone.now() - timedelta(seconds=conf.longest_answer() + ANSWER_GRACE_SECONDS)
        return history.turns(reversed(newest_first), overdue=overdue)

    def _newest(self, limit: int | None) -> Sequence[Mapping[str, Any]]:
        """The submissions, newest first. The first call for a session creates its student item."""
        if self.session.pk is None:
            return ()
        found: Sequence[Mapping[str, Any]] = _retried(partial(api.get_submissions, self._item, limit))
        return found

    def add(
        self, turn: str, messages: Sequence[Mapping[str, Any]], *, start: int = 0, attempt: int = 1, status: str = ""
    ) -> str:
        """Store messages of a turn.

        Args:
            turn: the turn's id.
            messages: in OpenAI's chat format.
            start: position of the first message in the turn.
            attempt: the number of attempts of the turn.
            status: set on the last message, see ``Turn.status``.

        Returns:
            The UUID of the last submission; empty if nothing was stored because the session was deleted.
        """
        if self.session.pk is None:
            return ""
        now = timezone.now()
        stamped = [{**message, "timestamp": now.isoformat()} for message in messages]
        if status:
            stamped[-1]["status"] = status
        uuid = ""
        for answer in history.submissions(history.stored(turn, attempt, start, stamped), Submission.MAXSIZE):
            uuid = _retried(partial(self._create, answer, now))
        return uuid

    def _create(self, answer: Sequence[Mapping[str, Any]], now: datetime) -> str:
        """Store one submission, unless the session was deleted: after a retirement nothing may be stored.

        Returns:
            Its UUID; empty without a session.
        """
        sessions = type(self.session).objects.filter(pk=self.session.pk)
        with transaction.atomic(using=router.db_for_write(type(self.session))):
            # The update takes a lock: the session cannot be deleted before the transaction ends.
            if not sessions.update(updated_at=timezone.now()):
                return ""
            # Conversations have no attempts; without a number the library would query the latest submission.
            submission = api.create_submission(self._item, answer, now, attempt_number=1)
        return str(submission["uuid"])

    def clear(self) -> None:
        """Delete the conversation."""
        if self.session.pk is None:
            return
        item = self._item
        _retried(
            lambda: api.reset_score(
                item["student_id"], item["course_id"], item["item_id"], clear_state=True, emit_signal=False
            )
        )


def _retried(call: Callable[[], Value]) -> Value:
    """Call the library; retry if concurrent requests of one person collide."""
    for number in range(MAX_ATTEMPTS):
        try:
            return call()
        # Includes request errors: a lost race for the student item is reported as a unique constraint.
        except (SubmissionInternalError, SubmissionRequestError, DatabaseError) as error:
            logger.warning("submissions.failed attempt=%s error=%s", number + 1, type(error).__name__)
            reconnect()
            if number == MAX_ATTEMPTS - 1:
                # The library's errors quote the data to store.
                raise AIExtensionsError from None
        time.sleep(FIRST_WAIT_SECONDS * 2**number)
    raise AssertionError("unreachable")
