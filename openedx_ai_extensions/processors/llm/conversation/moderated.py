"""A conversation whose answer is moderated before it is shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from openedx_ai_extensions.exceptions import ContentRejected
from openedx_ai_extensions.moderation import Review
from openedx_ai_extensions.processors.llm.conversation.conversation import Ask, Conversation
from openedx_ai_extensions.processors.llm.provider.types import Request, add_counts
from openedx_ai_extensions.tools import Toolbox

PING_SECONDS = 1.0  # seconds between heartbeats while text is held back


class ModeratedConversation(Conversation):
    """Yields the parts of an answer that may be shown.

    Args:
        request, toolbox, ask, max_rounds: as for ``Conversation``.
        review: checks the answer.
        is_whole: the answer is not shown while it arrives, so it can be checked as a whole.

    Raises (also while iterating):
        ContentRejected: the answer, or the rest of it, must not be shown; the provider's stream is closed.
    """

    def __init__(
        self,
        request: Request,
        toolbox: Toolbox | None,
        ask: Ask,
        *,
        max_rounds: int,
        review: Review,
        is_whole: bool,
    ) -> None:
        self._review = review
        self._is_whole = is_whole or review.needs_whole
        self._shown: list[bytes] = []
        super().__init__(request, toolbox, ask, max_rounds=max_rounds)

    def so_far(self) -> list[dict[str, Any]]:
        """The messages, limited to the text that was shown; empty if the answer was refused."""
        return [] if self.is_refused else _with_spoken_text(b"".join(self._shown).decode(), super().so_far())

    def _rounds(self) -> Iterator[bytes]:
        try:
            for chunk in self._when_complete() if self._is_whole else self._as_it_arrives():
                self._shown.append(chunk)
                yield chunk
        except ContentRejected:
            self.is_refused = True
            self.messages = []
            self.close()
            raise
        finally:
            add_counts(self.usage, self._review.take_usage())

    def _as_it_arrives(self) -> Iterator[bytes]:
        gate = self._review.gate()
        shown_at = time.monotonic()
        for chunk in super()._rounds():
            text = gate.feed(chunk.decode()) if chunk else ""
            now = time.monotonic()
            if text or not chunk or now - shown_at > PING_SECONDS:
                shown_at = now
                yield text.encode() if chunk else chunk
        yield gate.end().encode()

    def _when_complete(self) -> Iterator[bytes]:
        texts: list[bytes] = []
        shown_at = time.monotonic()
        for chunk in super()._rounds():
            texts.append(chunk)
            now = time.monotonic()
            if not chunk or now - shown_at > PING_SECONDS:
                shown_at = now
                yield b"" if chunk else chunk
        said = b"".join(texts).decode()
        shown = self._review.answer(said)
        if shown != said:
            self.messages = _with_spoken_text(shown, self.messages)
            self.response_id = ""  # the provider's thread contains a different answer
        yield shown.encode()


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
