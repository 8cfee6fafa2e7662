"""What actions of extensions give back beside a ``Result`` or a ``Stream``: dictionaries, and generators."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.execution.execution import Execution, OpenConversation
from openedx_ai_extensions.execution.stream import Result, StatusResult
from openedx_ai_extensions.processors.llm import StreamEvent
from openedx_ai_extensions.processors.llm.provider.types import add_counts

MAX_ERROR = 500  # characters of an error that people read
_END = object()


def result_of(fields: Mapping[str, Any], *, asks_model: bool) -> Result:
    """A dictionary in the form of the wire contract, as a result.

    Args:
        fields: ``{"response", "status"}`` and whatever else the client is to get.
        asks_model: where it does, an ``error`` in place of a response is one, whatever the status calls it.

    Raises:
        ProcessorError: it says that something went wrong.
    """
    status = str(fields.get("status") or "completed")
    if status == "error" or (asks_model and fields.get("error") and "response" not in fields):
        raise ProcessorError(_error_text(fields.get("error")))
    given = {name: value for name, value in fields.items() if name not in {"response", "status", "finish_reason"}}
    if "response" not in fields:
        return StatusResult(status=status, extra=given)
    return Result(fields["response"], status, given, str(fields.get("finish_reason") or ""))


def _error_text(error: Any) -> str | None:
    """The words of an error if people may read them."""
    text = error.get("message") if isinstance(error, Mapping) else error
    if not isinstance(text, str) or len(text) > MAX_ERROR or "Traceback" in text:
        return None
    return text if redact(text, configured_secrets()) == text else None


class ExtensionChunks:
    """The chunks of an extension's generator: whole characters, made in the account and under the rules of the run.

    Args:
        source: yields bytes or texts.
        execution: in which it runs. The conversations with models that it begins end when it does.

    Raises (while iterating):
        TypeError: it yields something else.
        AIExtensionsError: whatever the generator raises.
    """

    def __init__(self, source: Iterator[Any], execution: Execution) -> None:
        self._source = source
        self._execution = execution
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def usage(self) -> Mapping[str, int]:
        """Token counts, as the source says, else as its conversations do."""
        return getattr(self._source, "usage", None) or usage_of(self._execution.conversations)

    @property
    def finish_reason(self) -> str | None:
        """As the source says, else as the last of its conversations does."""
        conversations = self._execution.conversations
        last = conversations[-1].finish_reason if conversations else None
        return getattr(self._source, "finish_reason", None) or last

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        # A generator runs when it is read, long after the action that made it has returned.
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
        """Stop the generator, and the models that it listened to."""
        try:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
        finally:
            self._execution.close_conversations()


def usage_of(conversations: Iterable[OpenConversation]) -> dict[str, int]:
    """Token counts of all of them together."""
    usage: dict[str, int] = {}
    for conversation in conversations:
        add_counts(usage, conversation.usage)
    return usage
