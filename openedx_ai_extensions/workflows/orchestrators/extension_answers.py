"""Converts the answers of extensions' actions that are neither ``Result`` nor ``Stream``: dictionaries and
generators.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.execution.answers import Result, StatusResult
from openedx_ai_extensions.execution.execution import Execution, OpenConversation
from openedx_ai_extensions.processors.llm import StreamEvent
from openedx_ai_extensions.processors.llm.conversation.conversation import add_counts

MAX_ERROR = 500  # of an error message for people
_END = object()


def result_of(fields: Mapping[str, Any], *, asks_model: bool) -> Result:
    """Convert a dictionary in the form of the REST contract.

    Args:
        fields: ``{"response", "status"}`` and further fields for the client.
        asks_model: if true, ``error`` without ``response`` is an error, whatever the status says.

    Raises:
        ProcessorError: the dictionary reports an error.
    """
    status = str(fields.get("status") or "completed")
    if status == "error" or (asks_model and fields.get("error") and "response" not in fields):
        raise ProcessorError(_error_text(fields.get("error")))
    given = {name: value for name, value in fields.items() if name not in {"response", "status", "finish_reason"}}
    if "response" not in fields:
        return StatusResult(status=status, extra=given)
    return Result(fields["response"], status, given, str(fields.get("finish_reason") or ""))


def _error_text(error: Any) -> str | None:
    """An error's message, if it is safe to show."""
    text = error.get("message") if isinstance(error, Mapping) else error
    if not isinstance(text, str) or len(text) > MAX_ERROR or "Traceback" in text:
        return None
    return text if redact(text, configured_secrets()) == text else None


class ExtensionChunks:
    """The chunks of an extension's generator, as whole characters. The generator runs inside its execution.

    Args:
        source: yields bytes or texts.
        execution: the execution; its conversations are closed at the end.

    Raises (while iterating):
        TypeError: the generator yields something else.
        AIExtensionsError: an error of the generator.
    """

    def __init__(self, source: Iterator[Any], execution: Execution) -> None:
        self._source = source
        self._execution = execution
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def usage(self) -> Mapping[str, int]:
        """Token counts of the source, otherwise of the execution's conversations."""
        return getattr(self._source, "usage", None) or usage_of(self._execution.conversations)

    @property
    def finish_reason(self) -> str | None:
        """The finish reason of the source, otherwise of the last conversation."""
        conversations = self._execution.conversations
        last = conversations[-1].finish_reason if conversations else None
        return getattr(self._source, "finish_reason", None) or last

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        # A generator runs while it is read, after the action has returned.
        with self._execution.as_current():
            chunk = next(self._source, _END)
        if chunk is _END:
            rest = self._decoder.decode(b"", final=True)
            if not rest:
                raise StopIteration
            return rest.encode()
        if isinstance(chunk, StreamEvent):
            return chunk
        if isinstance(chunk, str):
            return chunk.encode("utf-8", "replace")
        if isinstance(chunk, bytes):
            return self._decoder.decode(chunk).encode()
        raise TypeError(f"A stream must yield bytes, not {type(chunk).__name__}.")

    def close(self) -> None:
        """Close the generator and the conversations."""
        try:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
        finally:
            self._execution.close_conversations()


def usage_of(conversations: Iterable[OpenConversation]) -> dict[str, int]:
    """The token counts of all conversations together."""
    usage: dict[str, int] = {}
    for conversation in conversations:
        add_counts(usage, conversation.usage)
    return usage
