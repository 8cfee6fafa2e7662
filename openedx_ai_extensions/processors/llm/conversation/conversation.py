"""The conversation loop, streaming or not: the model calls tools, gets their results, and answers. The answer may be
moderated before it is shown.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from openedx_ai_extensions.core.http_responses import StreamEvent, logged
from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.exceptions import AIExtensionsError, ContentRejected, ProcessorError
from openedx_ai_extensions.execution.answers import FinishReason, error_without_text
from openedx_ai_extensions.execution.execution import current_execution
from openedx_ai_extensions.moderation import Review
from openedx_ai_extensions.processors.llm.conversation.messages import sendable, with_thinking
from openedx_ai_extensions.processors.llm.provider.stream import Chunks
from openedx_ai_extensions.processors.llm.provider.tool_calls import ToolCall
from openedx_ai_extensions.processors.llm.provider.types import TOKEN_COUNTS, Answer, Request, Thread
from openedx_ai_extensions.prompts.citations import Citation, CitationReader, Passages, passages_in
from openedx_ai_extensions.prompts.follow_ups import FollowUpReader, read_follow_ups
from openedx_ai_extensions.tools import Toolbox

logger = logging.getLogger(__name__)

MAX_CALLS_PER_ROUND = 16  # further calls are refused with an error as their result
PING_SECONDS = 1.0  # between heartbeats while text is held back for moderation

Ask = Callable[[Request], Answer]


def add_counts(total: dict[str, int], usage: Mapping[str, int]) -> None:
    """Add an answer's ``TOKEN_COUNTS``, as far as the provider reported them."""
    for name in TOKEN_COUNTS:
        if name in usage:
            total[name] = total.get(name, 0) + usage[name]


class Conversation(Chunks):
    """An answer in one or more rounds; yields its text as UTF-8 bytes, and a ``StreamEvent`` for each tool call.

    The constructor starts the first round, and raises its errors.

    Args:
        request: the messages, and the definitions of the tools.
        toolbox: the tools; None if there are none.
        ask: sends one request to the model.
        max_rounds: how often the model may call tools.
        review: moderates the answer before it is shown; None if nothing does.
        is_whole: the answer is not shown while it arrives, so that it can be moderated as a whole.
        passages: the passages of the course that the answer may cite; None if it cites none.
        lists_citations: write citations into the text, see ``CitationReader``.
        reads_follow_ups: the answer may end with follow-ups, see ``FollowUpReader``.

    Attributes:
        follow_ups: questions that the learner may ask next; complete at the end.
        citations: the citations in the text so far, see ``CitationReader``; empty if they are written into the text.
        usage: the token counts of all rounds.
        model_used: the model's name, as the provider reports it.
        response_id: the last response in the provider's thread; empty without a thread.
        finish_reason: how the answer ended; None before that.
        is_refused: the answer must not be shown.

    Raises (also while iterating):
        ContentRejected: the answer, or the rest of it, must not be shown; the provider's stream is closed.
        AnswerTooLong, AnswerDeclined, EmptyAnswer: the answer has no text to show.
        ProcessorError: the model exceeded the number of rounds.
        Refused: the site's rules no longer allow the run.
        AIExtensionsError: the provider failed.
    """

    def __init__(
        self,
        request: Request,
        toolbox: Toolbox | None,
        ask: Ask,
        *,
        max_rounds: int,
        review: Review | None = None,
        is_whole: bool = False,
        passages: Passages | None = None,
        lists_citations: bool = False,
        reads_follow_ups: bool = False,
    ) -> None:
        self._messages: list[dict[str, Any]] = []
        self.usage: dict[str, int] = {}
        self.model_used = ""
        self.response_id = ""
        self.finish_reason: FinishReason | None = None
        self.is_refused = False
        self._request = request
        self._toolbox = toolbox
        self._ask = ask
        self._max_rounds = max_rounds
        self._review = review
        self._is_whole = is_whole
        self._shown: list[bytes] = []  # if it is moderated
        execution = current_execution()
        self._guard = execution.guard if execution else None
        self._deadline = None if request.seconds is None else time.monotonic() + request.seconds
        self._texts: list[bytes] = []  # of the current round
        self._thinking: dict[str, Any] = {}  # reasoning of the current round, to be returned to the provider
        self._sent_count = 0  # number of messages that were sent back to the model
        self._answer = ask(request)
        self._request = self._answer.request  # a fallback provider that answered is used for the next rounds too
        self._chunks = self._rounds() if review is None else self._moderated_rounds(review)
        self.citations: list[Citation] = []
        self._passages = passages
        self._lists_citations = lists_citations
        self.follow_ups: list[str] = []
        self._reads_follow_ups = reads_follow_ups
        if reads_follow_ups:  # first, because their labels would become citations
            self._chunks = self._without_follow_ups(self._chunks)
        if passages is not None:
            self._chunks = self._cited(self._chunks, passages)
        if execution is not None:  # the execution closes it if an extension does not read it to the end
            execution.conversations.append(self)

    @property
    def last_response_id(self) -> str:
        """The last response in the provider's thread, also of an interrupted answer."""
        return self._answer.reading.response_id or self.response_id

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The resulting messages in OpenAI's chat format: assistant messages, tool calls and their results. Assistant
        messages may have ``citations`` and ``follow_ups``, and then ``sent``: the text to repeat to a model.
        """
        return self._for_people(self._messages)

    def so_far(self) -> list[dict[str, Any]]:
        """The messages so far, including the text of an interrupted round as far as it was shown, and a result for
        every call. Empty if the answer was refused.
        """
        if self.is_refused:
            return []
        messages = list(self._messages)
        done = {message["tool_call_id"] for message in messages if message["role"] == "tool"}
        calls = [call for message in messages for call in message.get("tool_calls") or ()]
        messages += [
            _result(call["id"], call["function"]["name"], "Not run.") for call in calls if call["id"] not in done
        ]
        if self._texts:
            messages.append({"role": "assistant", "content": b"".join(self._texts).decode()})
        if self._review is not None:
            messages = _with_spoken_text(b"".join(self._shown).decode(), messages)
        return self._for_people(messages)

    def _without_follow_ups(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks, with an event at the end in place of follow-ups."""
        reader = FollowUpReader()
        self.follow_ups = reader.questions
        try:
            for chunk in chunks:
                text = reader.feed(chunk.decode()) if chunk else ""
                if text or not chunk:
                    yield text.encode() if text else chunk
        except AIExtensionsError:
            if rest := reader.end():
                yield rest.encode()  # what is stored of a broken answer was shown
            raise
        if rest := reader.end():
            yield rest.encode()
        if self.follow_ups:
            yield StreamEvent("follow_ups", {"questions": self.follow_ups})

    def _cited(self, chunks: Iterator[bytes], passages: Passages) -> Iterator[bytes]:
        """The chunks, with events in place of the labels of passages."""
        known: Passages = {}
        reader = CitationReader(known, lists=self._lists_citations)
        if not self._lists_citations:
            self.citations = reader.citations
        request = None
        try:
            for chunk in chunks:
                if request is not self._request:  # the first one, or one with the results of tools
                    request = self._request
                    known.update(passages_in(request.messages, passages))
                if chunk:
                    yield from map(_citation_chunk, reader.feed(chunk.decode()))
                else:
                    yield chunk
        except AIExtensionsError:
            yield from map(_citation_chunk, reader.end())  # what is stored of a broken answer was shown
            raise
        yield from map(_citation_chunk, reader.end())

    def _for_people(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The messages without labels and follow-ups in their texts."""
        spoken = [place for place, message in enumerate(messages) if message["role"] == "assistant"]
        citing = None
        if self._passages is not None:
            citing = CitationReader(passages_in(self._request.messages, self._passages), lists=self._lists_citations)
        shown = list(messages)
        for place in spoken:
            text = raw = messages[place]["content"]
            found: dict[str, Any] = {}
            if self._reads_follow_ups:
                text, found["follow_ups"] = read_follow_ups(text)
            if citing is not None:
                text, found["citations"] = citing.read_message(text, is_last=place == spoken[-1])
            if text != raw:
                found = {name: value for name, value in found.items() if value}
                shown[place] = {**messages[place], "content": text, "sent": raw, **found}
        return shown

    def _rounds(self) -> Iterator[bytes]:
        for number in range(self._max_rounds + 1):
            calls = yield from self._round()
            if not calls:
                return
            if number == self._max_rounds:
                break
            for position, call in enumerate(calls):
                yield from self._call(call, allowed=position < MAX_CALLS_PER_ROUND)
            self._ask_again(self._next_request(calls))
        logger.warning("llm.conversation.endless rounds=%s model=%s", self._max_rounds, logged(self.model_used))
        raise ProcessorError(_("The AI did not reach an answer. Please ask in another way."))

    def _round(self) -> Generator[bytes, None, Sequence[ToolCall]]:
        """Yield one answer; returns its tool calls. An empty answer is requested a second time."""
        before = len(self._messages)
        calls = yield from self._relay_answer()
        is_empty = len(self._messages) == before
        if is_empty and self.finish_reason is not None and self.finish_reason.is_retryable:
            logger.warning("llm.answer.repeated model=%s reason=%s", logged(self.model_used), self.finish_reason)
            self._ask_again(self._request)
            calls = yield from self._relay_answer()
        reason = self.finish_reason
        last = self._messages[-1] if self._messages else None
        has_text = last is not None and last["role"] == "assistant" and last["content"].strip()
        if reason is None or calls or has_text:
            return calls
        request = self._request
        about = f"provider={request.provider} model={logged(self.model_used)}"
        raise error_without_text(reason, options=request.options, about=about)

    def _ask_again(self, request: Request) -> None:
        self._request = request
        self._require_allowed()
        self._answer = self._ask(request)
        self._request = self._answer.request

    def _relay_answer(self) -> Generator[bytes, None, Sequence[ToolCall]]:
        """Yield one answer; returns its tool calls. An answer without text and calls adds no message."""
        answer = self._answer
        said_something = any(message["content"] for message in self._messages if message["role"] == "assistant")
        for chunk in answer:
            if chunk:
                if said_something and not self._texts:
                    yield b"\n\n"
                self._texts.append(chunk)
            yield chunk
        reading = answer.reading
        add_counts(self.usage, reading.usage)
        self.model_used = reading.model_used or self.model_used
        self.response_id = reading.response_id
        self.finish_reason = reading.finish_reason
        self._thinking = dict(reading.thinking)
        calls = reading.tool_calls
        message: dict[str, Any] = {"role": "assistant", "content": b"".join(self._texts).decode()}
        if calls:
            message["tool_calls"] = [call.as_dict() for call in calls]
        if calls or message["content"].strip():
            self._messages.append(message)
        self._texts = []
        return calls

    def _call(self, call: ToolCall, *, allowed: bool) -> Iterator[bytes]:
        yield StreamEvent("tool", {"name": call.name, "state": "started"})
        self._require_allowed()
        if self._toolbox is None:
            text, state = "There is no such tool.", "failed"
        elif allowed and (self._deadline is None or time.monotonic() < self._deadline):
            result = self._toolbox.call(call.name, call.arguments)
            text, state = result.text, "completed" if result.ok else "failed"
        else:
            text, state = "Refused: too many calls for one answer.", "failed"
        self._messages.append(_result(call.as_dict()["id"], call.name, text))
        yield StreamEvent("tool", {"name": call.name, "state": state})

    def _require_allowed(self) -> None:
        """Raise Refused if the site's rules no longer allow the run."""
        if self._guard is not None:
            self._guard.recheck()

    def _next_request(self, calls: Sequence[ToolCall]) -> Request:
        asked = self._request
        produced = [sendable(message) for message in self._messages[self._sent_count :]]
        asking = max(place for place, message in enumerate(produced) if message.get("tool_calls"))
        produced[asking] = with_thinking(produced[asking], self._thinking, calls)
        self._sent_count = len(self._messages)
        thread = asked.thread
        if thread is not None:
            # The provider's thread contains everything up to the answer with the tool calls.
            thread = Thread(self.response_id, len(asked.messages) + 1) if self.response_id else Thread()
        return replace(
            asked,
            messages=[*asked.messages, *produced],
            thread=thread,
            seconds=None if self._deadline is None else max(self._deadline - time.monotonic(), 0),
        )

    def _moderated_rounds(self, review: Review) -> Iterator[bytes]:
        try:
            for chunk in self._allowed_chunks(review):
                self._shown.append(chunk)
                yield chunk
        except ContentRejected:
            self.is_refused = True
            self._messages = []
            self.close()
            raise
        finally:
            add_counts(self.usage, review.take_usage())

    def _allowed_chunks(self, review: Review) -> Iterator[bytes]:
        gate = None if self._is_whole or review.needs_whole else review.gate()
        held: list[str] = []
        shown_at = time.monotonic()
        for chunk in self._rounds():
            text = ""
            if gate is not None:
                text = gate.feed(chunk.decode()) if chunk else ""
            else:
                held.append(chunk.decode())
            now = time.monotonic()
            if text or not chunk or now - shown_at > PING_SECONDS:
                shown_at = now
                yield text.encode() if chunk else chunk
        if gate is not None:
            yield gate.end().encode()
            return
        said = "".join(held)
        shown = review.answer(said)
        if shown != said:
            self._messages = _with_spoken_text(shown, self._messages)
            self.response_id = ""  # the provider's thread contains a different answer
        yield shown.encode()

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Stop: closes the provider's connection."""
        self._answer.close()


def _citation_chunk(piece: str | Citation) -> bytes:
    return piece.encode() if isinstance(piece, str) else StreamEvent("citation", piece)


def _result(call_id: str, name: str, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "name": name, "content": text}


def _with_spoken_text(text: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with ``text`` as the assistant's text: unchanged if they have it already, otherwise in the last
    message.
    """
    spoken = [place for place, message in enumerate(messages) if message["role"] == "assistant"]
    if text == "\n\n".join(messages[place]["content"] for place in spoken if messages[place]["content"]):
        return messages
    if not spoken:
        return [*messages, {"role": "assistant", "content": text}]
    changed = [{**message, "content": ""} if message["role"] == "assistant" else message for message in messages]
    changed[spoken[-1]]["content"] = text
    return changed
