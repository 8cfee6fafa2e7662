"""Structured answers: asks the model for JSON by a schema, parses the reply leniently and validates it.

An invalid reply is sent back once, with its problems.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from jsonschema import Draft202012Validator

from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.execution.answers import error_without_text
from openedx_ai_extensions.processors.llm.conversation.conversation import add_counts
from openedx_ai_extensions.processors.llm.conversation.json_reply import UnreadableReply, parse_json
from openedx_ai_extensions.processors.llm.conversation.messages import build_messages
from openedx_ai_extensions.processors.llm.processor import LLMProcessor
from openedx_ai_extensions.processors.llm.provider import calls
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from openedx_ai_extensions.processors.llm.provider.types import Completion, Request

logger = logging.getLogger(__name__)

MAX_PROBLEMS = 20  # sent to the model
_ESCAPES = (
    r"Its strings are JSON strings: write every backslash of a formula twice, so \(\frac{1}{2}\) as "
    r'"\\(\\frac{1}{2}\\)" and a row break \\ as "\\\\"; write a line break as \n and a quotation mark as \".'
)
_CORRECTION = (
    "This answer cannot be used:\n{problems}\nAnswer again with the whole, corrected JSON object and nothing else."
)
# Keywords that the strict modes of providers support; limits are stated in the prompt and checked here.
_PORTABLE = frozenset({"type", "properties", "items", "enum", "const", "anyOf", "description", "$ref", "$defs"})

Check = Callable[[Any], Iterable[str]]


def ask_structured(
    llm: LLMProcessor,
    schema: Mapping[str, Any],
    *,
    name: str,
    instructions: str = "",
    context: str = "",
    input_data: str = "",
    check: Check | None = None,
) -> tuple[Any, dict[str, int]]:
    """Ask the model for a structured value.

    Args:
        llm: an ``LLMProcessor``; its function or prompt contains the task. Tools are not offered.
        schema: JSON Schema of the value, an object at the top. Limits such as ``minItems`` are only checked here.
        name: a name of the value for the provider: letters, digits and ``_``.
        instructions: added to the prompt for this call.
        context: course text, and other data that is not an instruction.
        input_data: the person's input.
        check: yields the problems, in words for the model, of a value that satisfies the schema.

    Returns:
        The value, without unprintable characters; and the token counts of all rounds.

    Raises:
        ContentRejected: the input must not be sent, or the value must not be shown.
        ProcessorError: neither the reply nor a second one could be used.
        AIExtensionsError: the configuration is unusable, or the provider failed.
    """
    asking = _StructuredRequest(llm, schema, name, check)
    return asking.value(instructions, context, input_data), asking.usage


class _StructuredRequest:
    """Requests one value, in one or two rounds."""

    def __init__(self, llm: LLMProcessor, schema: Mapping[str, Any], name: str, check: Check | None) -> None:
        self.usage: dict[str, int] = {}
        self._llm = llm
        self._schema = schema
        self._name = name
        self._check = check
        self._review = llm.review()
        self._deadline = time.monotonic() + find_provider(llm.provider).total_timeout

    def value(self, instructions: str, context: str, input_data: str) -> Any:
        input_data = self._review.request(input_data)
        try:
            value = self._value(instructions, context, input_data)
            shown = self._review.answer(value)
        finally:
            add_counts(self.usage, self._review.take_usage())
        if shown != value and self._problems(shown):
            logger.error("llm.structured.spoilt name=%s", self._name)  # a plugin has made the value invalid
            raise ProcessorError
        return shown

    def _value(self, instructions: str, context: str, input_data: str) -> Any:
        prompt = "\n\n".join(filter(None, [self._llm.system_prompt(), instructions, self._format_instructions()]))
        completion = self._ask(
            Request(
                provider=self._llm.provider,
                messages=build_messages(
                    prompt=prompt,
                    language=self._llm.language_rule,
                    context=context,
                    chat_history=(),
                    input_text=input_data,
                ),
                options=self._llm.options,
                fallbacks=self._llm.fallbacks,
                may_trim=True,
                schema={"name": self._name, "strict": True, "schema": strict_schema(self._schema)},
            )
        )
        value, problems = self._read(completion.text)
        if problems:
            _require_whole(completion)
            asked = completion.request  # with the provider that answered, and the options that worked
            if completion.text.strip():
                said = {"role": "assistant", "content": completion.text}
                told = "\n".join(f"- {problem}" for problem in problems[:MAX_PROBLEMS])
                again = {"role": "user", "content": _CORRECTION.format(problems=told)}
                asked = replace(asked, messages=[*asked.messages, said, again])
            completion = self._ask(asked)
            value, problems = self._read(completion.text)
        if problems:
            _require_whole(completion)
            logger.warning("llm.structured.failed name=%s provider=%s", self._name, completion.request.provider)
            raise ProcessorError(_("The AI model gave an answer that cannot be used. Please try again."))
        return value

    def _format_instructions(self) -> str:
        """Instructions about the format, which some providers need and which do no harm elsewhere."""
        schema = json.dumps(self._schema, ensure_ascii=False, separators=(",", ":"))
        return f"Answer with one JSON object and nothing else. {_ESCAPES}\nIt must satisfy this JSON Schema:\n{schema}"

    def _ask(self, request: Request) -> Completion:
        left = max(self._deadline - time.monotonic(), 0.001)
        completion = calls.complete(replace(request, seconds=left, run=self._review.run))
        add_counts(self.usage, completion.reading.usage)
        return completion

    def _read(self, reply: str) -> tuple[Any, list[str]]:
        try:
            value, doubts = parse_json(reply)
        except UnreadableReply as error:
            return None, [str(error)]
        return value, doubts + self._problems(value)

    def _problems(self, value: Any) -> list[str]:
        errors = sorted(Draft202012Validator(self._schema).iter_errors(value), key=lambda error: error.json_path)
        problems = [f"{error.json_path}: {error.message[:300]}" for error in errors]
        if not problems and self._check is not None:
            problems = list(self._check(value))
        return problems


def _require_whole(completion: Completion) -> None:
    """Raise the error of an incomplete answer, for which a second request would not help.

    Raises:
        AnswerTooLong: it was truncated.
        AnswerDeclined: the model, or its provider, declined.
    """
    reason, request = completion.reading.finish_reason, completion.request
    if reason is not None and not (reason.is_whole or reason.is_retryable):
        about = f"provider={request.provider} model={logged(completion.reading.model_used)}"
        raise error_without_text(reason, options=request.options, about=about)


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema for strict modes of providers: all properties required, no others, and no limits."""
    strict: dict[str, Any] = {}
    for name, value in schema.items():
        if name in {"properties", "$defs"}:
            strict[name] = {key: strict_schema(member) for key, member in value.items()}
        elif name == "items":
            strict[name] = strict_schema(value)
        elif name == "anyOf":
            strict[name] = [strict_schema(member) for member in value]
        elif name in _PORTABLE:
            strict[name] = value
    if "properties" in schema:
        strict |= {"required": list(schema["properties"]), "additionalProperties": False}
    return strict
