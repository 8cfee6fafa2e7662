"""A conversation with a history."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from openedx_ai_extensions.core import hooks
from openedx_ai_extensions.core.portable import is_whole
from openedx_ai_extensions.exceptions import AIExtensionsError, ContentRejected, InvalidRequest, RunCancelled
from openedx_ai_extensions.execution.answers import Ending, Result, Stream
from openedx_ai_extensions.feedback.learners import asks_for_feedback, feedback_of
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.processors import LLMProcessor, SubmissionProcessor
from openedx_ai_extensions.processors.llm import Conversation, Thread, notice, with_notice
from openedx_ai_extensions.processors.openedx.history import (
    CUT_OFF,
    FAILED,
    INTERRUPTED,
    REFUSED,
    Turn,
    new_turn_id,
    window,
)
from openedx_ai_extensions.workflows.orchestrators.base import action, input_text
from openedx_ai_extensions.workflows.orchestrators.session_based_orchestrator import SessionBasedOrchestrator
from openedx_ai_extensions.xapi.constants import EVENT_INITIALIZED, EVENT_INTERACTED

logger = logging.getLogger(__name__)

MAX_CURRENT_MESSAGES = 1_000_000  # more than a browser can show; keeps the number within the 64 bits of databases
MAX_REFUSED_IN_A_ROW = 2  # refused turns that are stored in a row; they are always among the recent turns
REMOTE_THREAD_KEY = "remote"  # key of the session's metadata: the turns that the provider's thread contains


class ThreadedLLMResponse(SessionBasedOrchestrator):
    """A chat about the current location; every turn includes the previous ones.

    The learner's message is stored before the model is asked, the answer afterwards, complete or not. The provider's
    own thread is used if there is one; the stored history remains authoritative.
    """

    cites = True

    @cached_property
    def history(self) -> SubmissionProcessor:
        return SubmissionProcessor(self.profile.processor_config, self.session)

    def check_input(self, user_input: Any) -> None:
        input_text(user_input)

    @action
    def run(self, user_input: Any) -> Result | Stream:
        """Send a message. Without input, open the chat: a greeting if it is new, otherwise the latest messages.

        A greeting of the template is not stored, so the model does not see it.
        """
        text = self.question(user_input)
        turns, has_older = self.history.recent()
        if not text and turns:
            return Result(self._page(turns, has_older, "current_count"))
        if not text and self.profile.greeting:
            return Result(self.profile.greeting)
        content = self.course_content()
        return _CurrentTurn(self, turns, text).run(content)

    @action(asks_model=False, replayable=False, keeps_nothing=True)
    def lazy_load_chat_history(self, user_input: Any) -> Result:
        """The messages before those that the client already has."""
        count = _current_messages(user_input)
        turns, has_older = self.history.recent(count + self.history.max_context_messages)
        return Result(self._page(turns, has_older, "new_count", skip=count))

    def _page(self, turns: Sequence[Turn], has_older: bool, count_name: str, skip: int = 0) -> str:
        """The last ``max_context_messages`` messages before the last ``skip``, in the form that widgets read."""
        shown = [message for turn in turns for message in turn.shown()]
        end = max(len(shown) - skip, 0)
        start = max(end - self.history.max_context_messages, 0)
        page = self._with_feedback([_with_notice(message) for message in shown[start:end]])
        metadata = {"has_more": start > 0 or (has_older and end > 0), count_name: len(page)}
        return json.dumps({"messages": page, "metadata": metadata}, ensure_ascii=False)

    def _with_feedback(self, messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Messages with this person's feedback, where the profile asks for it; elsewhere without the id of the run."""
        if not asks_for_feedback(self.profile):
            return [{name: value for name, value in message.items() if name != "run_id"} for message in messages]
        given = feedback_of(self.user, [message["run_id"] for message in messages if "run_id" in message])
        return [
            {**message, "feedback": given[message["run_id"]].as_dict()} if message.get("run_id") in given else message
            for message in messages
        ]

    def current_response(self) -> str | None:
        turns, has_older = self.history.recent()
        return self._page(turns, has_older, "current_count") if turns else None

    def clear(self) -> None:
        history = self.history
        super().clear()
        # Afterwards: a turn that ends meanwhile finds no session, and deletes what it stored.
        history.clear()


class _CurrentTurn:
    """One turn, from the learner's message to the stored answer.

    Args:
        chat: the conversation.
        turns: the turns before this one.
        text: the learner's message; empty for a greeting.
    """

    def __init__(self, chat: ThreadedLLMResponse, turns: Sequence[Turn], text: str) -> None:
        self.chat = chat
        self.session: AIWorkflowSession = chat.session
        self.text = text
        again = turns[-1] if turns and _is_to_be_retried(turns[-1], text) else None
        self.before = turns[:-1] if again else turns
        self.id = again.id if again else new_turn_id()
        self.attempt = again.attempt + 1 if again else 1
        self.is_stored = again is not None
        self.is_admitted = False
        streams = chat.context.get("accepts_stream", True)
        self.llm = LLMProcessor(
            chat.profile.processor_config,
            user_session=self.session,
            extra_params=None if streams else {"stream": False},
        )
        self.thread = self._thread()

    def run(self, content: str) -> Result | Stream:
        try:
            answer = self.llm.process(
                context=content,
                input_data=self.text,
                chat_history=window(self.before, self.chat.history.max_context_messages),
                thread=self.thread,
                on_passed=self._on_admitted,
            )
        except Exception as error:
            status = REFUSED if isinstance(error, ContentRejected) else FAILED
            if self.is_admitted or (status == REFUSED and self._may_keep_refused()):
                self._store([], status, _code_of(error))
                self._forget_if_cleared()
            raise
        if isinstance(answer, dict):
            self._complete()
            extra = {name: answer[name] for name in ("citations", "follow_ups") if name in answer}
            return Result(answer["response"], extra=extra, finish_reason=answer["finish_reason"])
        self.stream = Stream(answer, finish=self._finish, run_id=str(self.chat.context.get("run_id") or ""))
        return self.stream

    def _finish(self, ending: Ending, _text: str) -> None:
        if ending is Ending.COMPLETED:
            self._complete()
            return
        messages = self.conversation.so_far()
        is_seen = any(message["role"] == "assistant" and message["content"] for message in messages)
        unseen = REFUSED if self.conversation.is_refused else FAILED
        code = RunCancelled.code if ending is Ending.CANCELLED else _code_of(self.stream.error)
        self._store(messages, INTERRUPTED if is_seen else unseen, code)
        self._forget_if_cleared()

    @property
    def conversation(self) -> Conversation:
        """The messages of the model and the tools. Exists once the model has started."""
        if self.llm.conversation is None:
            raise AssertionError
        return self.llm.conversation

    def _thread(self) -> Thread | None:
        """The provider's thread to continue: only if it contains exactly the turns before this one."""
        if not self.llm.keeps_threads:
            return None
        known = self.session.metadata.get(REMOTE_THREAD_KEY) or {}
        answered = [turn.id for turn in self.before if turn.is_answered]
        is_current = (
            known.get("provider") == self.llm.provider_identity
            and answered[-1:] == [known.get("turn")]
            and (len(answered) < 2 or answered[-2] == known.get("previous"))
            # The provider reads, and charges for, the whole thread: a long one is replaced by a new one with recent
            # messages.
            and known.get("length", 0) < self.chat.history.max_context_messages
        )
        return Thread(self.session.remote_response_id) if is_current else Thread()

    def _complete(self) -> None:
        """Store the answer and the end of the provider's thread, and emit the event."""
        messages = self.conversation.messages
        reason = self.conversation.finish_reason or ""
        if notice(reason):
            messages = [*messages[:-1], {**messages[-1], "finish_reason": str(reason)}]
            uuid = self._store(messages, CUT_OFF)
        else:
            uuid = self._store(messages)
        response_id = self.conversation.response_id
        session = self.session
        if response_id:
            answered = [turn.id for turn in self.before if turn.is_answered]
            known = session.metadata.get(REMOTE_THREAD_KEY) or {}
            session.metadata[REMOTE_THREAD_KEY] = {
                "provider": self.llm.provider_identity,
                "turn": self.id,
                "previous": answered[-1] if answered else None,
                "length": known.get("length", 0) + 1 if self.thread and self.thread.response_id else 1,
            }
        else:
            session.metadata.pop(REMOTE_THREAD_KEY, None)
        sessions = AIWorkflowSession.objects.filter(pk=session.pk)
        is_first = not session.local_submission_id and sessions.filter(local_submission_id="").update(
            local_submission_id=uuid
        )
        is_cleared = not sessions.update(
            local_submission_id=uuid,
            remote_response_id=response_id,
            metadata=session.metadata,
            updated_at=timezone.now(),
        )
        if is_cleared:
            self._forget()
            return
        self.chat.record(EVENT_INITIALIZED if is_first else EVENT_INTERACTED, self.conversation.usage)

    def _may_keep_refused(self) -> bool:
        """Refused messages are not limited otherwise, so only the first in a row are stored."""
        last = self.before[-MAX_REFUSED_IN_A_ROW:]
        return len(last) < MAX_REFUSED_IN_A_ROW or any(turn.status != REFUSED for turn in last)

    def _on_admitted(self, sent: str) -> None:
        self.is_admitted = True
        self._store_question(sent)

    def _forget_if_cleared(self) -> None:
        if not AIWorkflowSession.objects.filter(pk=self.session.pk).exists():
            self._forget()

    def _forget(self) -> None:
        """The session was cleared in another tab, or the person was retired: delete this turn and the provider's
        thread too.
        """
        self.chat.history.clear()
        response_id = self.llm.conversation.last_response_id if self.llm.conversation else ""
        if response_id and self.thread is not None:
            hooks.worker("forget_thread")(self.llm.provider_identity.partition(":")[0], response_id)

    def _store_question(self, sent: str) -> None:
        """Store the learner's message, and the text that was sent to the model if it differs."""
        if self.text and not self.is_stored:
            self.is_stored = True
            changed = {} if sent == self.text else {"sent": sent}
            self.chat.history.add(self.id, [{"role": "user", "content": self.text, **changed}])

    def _store(self, messages: Sequence[Mapping[str, Any]], status: str = "", code: str = "") -> str:
        """Store the answer. A turn without an answer is stored with its status, unless it is a greeting."""
        if status in {FAILED, REFUSED}:
            logger.info("workflow.turn.%s run_id=%s reason=%s", status, self.chat.context.get("run_id"), code)
            if not self.text:
                return ""
            self._store_question(self.text)
            messages = [{"role": "assistant", "content": ""}]
        elif messages:
            messages = [*messages[:-1], {**messages[-1], "run_id": str(self.chat.context.get("run_id") or "")}]
        start = 1 if self.text else 0
        return self.chat.history.add(self.id, messages, start=start, attempt=self.attempt, status=status, code=code)


def _code_of(error: BaseException | None) -> str:
    return error.code if isinstance(error, AIExtensionsError) else AIExtensionsError.code


def _with_notice(message: dict[str, Any]) -> dict[str, Any]:
    """A message as widgets show it: with the notice if the answer was truncated."""
    if "finish_reason" not in message:
        return message
    return {**message, "content": with_notice(message["content"], message["finish_reason"])}


def _is_to_be_retried(turn: Turn, text: str) -> bool:
    """Does the learner repeat a message that got no answer, or an incomplete one?"""
    is_broken = turn.status not in {"", CUT_OFF}
    return is_broken and turn.question is not None and turn.question["content"] == text


def _current_messages(user_input: Any) -> int:
    """The number of messages that the client has: an int, an object, or either of them as JSON.

    Raises:
        InvalidRequest: it has another form.
    """
    if isinstance(user_input, str):
        try:
            user_input = json.loads(user_input)
        except (ValueError, RecursionError):
            user_input = None
    if isinstance(user_input, Mapping):
        user_input = user_input.get("current_messages")
    is_number = is_whole(user_input)
    if not is_number or not 0 <= user_input <= MAX_CURRENT_MESSAGES:
        raise InvalidRequest(
            _("current_messages is required, as a whole number from 0 to {maximum}.").format(
                maximum=MAX_CURRENT_MESSAGES
            )
        )
    return int(user_input)
