"""Builds messages from the prompt, the course, the history and the learner's input, fenced and trimmed for the model.

The stable part comes first, for prompt caches of providers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openedx_ai_extensions.exceptions import ContextWindowExceeded
from openedx_ai_extensions.processors.llm.provider.fences import LEARNER, TOOL, fenced
from openedx_ai_extensions.processors.llm.provider.tool_calls import ToolCall, sendable_call, sendable_id
from openedx_ai_extensions.prompts.builtin import builtin_prompt

# The share of a model's context window that is reserved for its answer.
ANSWER_SHARE = 0.1


def build_messages(
    *, prompt: str, context: str, chat_history: Sequence[Mapping[str, Any]], input_text: str
) -> list[dict[str, Any]]:
    """Messages in OpenAI's format: one system message, the history, and a user message at the end.

    Args:
        prompt: the task.
        context: course text; may be empty.
        chat_history: earlier messages, oldest first; the texts of learners and tools in them are not fenced yet.
        input_text: the learner's input; if empty, a request to start is sent.
    """
    system = [prompt, builtin_prompt("ground_rules")]
    if context:
        system.append(fenced(context))
    begin = {"role": "user", "content": builtin_prompt("begin")}
    # Some providers require a conversation to start with the user; a greeting was requested that way.
    starts_with_greeting = bool(chat_history) and chat_history[0]["role"] != "user"
    return [
        {"role": "system", "content": "\n\n".join(system)},
        *([begin] if starts_with_greeting else []),
        *(sendable(message) for message in chat_history),
        {"role": "user", "content": fenced(input_text, LEARNER)} if input_text else begin,
    ]


def sendable(message: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a message of the history for a model: texts of learners and tools are fenced."""
    label = {"user": LEARNER, "tool": TOOL}.get(message["role"])
    # If a filter changed the learner's text, the changed text is sent again.
    said = message.get("sent", message["content"])
    content = fenced(said, label) if label else said or None
    sent = {"content": content, **{name: message[name] for name in ("role", "name") if name in message}}
    if message.get("tool_calls"):
        sent["tool_calls"] = [sendable_call(call) for call in message["tool_calls"]]
    if "tool_call_id" in message:
        sent["tool_call_id"] = sendable_id(message["tool_call_id"])
    return sent


def with_thinking(message: Mapping[str, Any], thinking: Mapping[str, Any], calls: Sequence[ToolCall]) -> dict[str, Any]:
    """An assistant's message as its provider requires it within the turn: with its reasoning and signatures."""
    extras = {sendable_id(call.id): dict(call.extra) for call in calls}
    marked = [
        {**call, "provider_specific_fields": extras[call["id"]]} if extras.get(call["id"]) else call
        for call in message.get("tool_calls") or ()
    ]
    return {**message, **thinking, **({"tool_calls": marked} if marked else {})}


def without_tools(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The history for a model without tools: some providers refuse calls of tools that are not defined."""
    spoken = [message for message in messages if message["role"] != "tool" and message["content"]]
    return [{name: value for name, value in message.items() if name != "tool_calls"} for message in spoken]


def fit(
    messages: list[dict[str, Any]], limit: int | None, tools: Sequence[Mapping[str, Any]], count: Callable[[str], int]
) -> list[dict[str, Any]]:
    """Remove the oldest messages of the history until the messages fit the model's context window.

    Whole turns are removed, each from one user message to the next, so that no tool call loses its result.

    Args:
        messages: system message, history, user message.
        limit: the size of the context window in tokens; None if unknown.
        tools: definitions of the tools, which count too.
        count: counts the tokens of a text.

    Raises:
        ContextWindowExceeded: too long even without any history.
    """
    if limit is None:
        return messages
    room = int(limit * (1 - ANSWER_SHARE))
    sizes = [json.dumps(part, ensure_ascii=False) for part in (*messages, list(tools))]
    # A text never has more tokens than bytes, so counting is rarely necessary.
    if sum(len(text.encode()) for text in sizes) <= room:
        return messages
    *tokens, for_tools = [count(text) for text in sizes]
    start, end = 1, len(messages) - 1
    room -= for_tools + tokens[0] + tokens[-1]
    if room < 0:
        raise ContextWindowExceeded
    while start < end and sum(tokens[start:end]) > room:
        start += 1
        while start < end and messages[start]["role"] != "user":
            start += 1
    return [messages[0], *messages[start:]]
