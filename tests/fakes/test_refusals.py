"""What the fake provider refuses, as the real ones do."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.provider import FakeProvider

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
SCHEMA = {"type": "object", "properties": {"term": {"type": "string"}}}
CHAT_TOOL = {"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}
TOOL = {"type": "function", "name": "look_up", "parameters": SCHEMA}
CLAUDE_TOOL = {"name": "look_up", "input_schema": SCHEMA}


def with_messages(path, *messages, **more):
    return path, {"model": "fake", "max_tokens": 9, "messages": list(messages), **more}


def with_input(given, **more):
    return RESPONSES, {"model": "fake", "input": given, **more}


USER = {"role": "user", "content": "Why?"}
CALLED = {"role": "assistant", "content": None,
          "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}  # fmt: skip
USED = {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "x"}]}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "x"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param(with_messages(CHAT), "empty array", id="chat: nothing"),
        pytest.param(with_messages(CHAT, {"role": "robot", "content": "x"}), "Invalid value: 'robot'", id="chat: role"),
        pytest.param(with_messages(CHAT, USER, {"role": "assistant", "content": None}), "got null", id="chat: null"),
        pytest.param(with_messages(CHAT, USER, CALLED, USER), "did not have response", id="chat: no result"),
        pytest.param(
            with_messages(CHAT, USER, {"role": "tool", "tool_call_id": "c", "content": "x"}), "must be a response",
            id="chat: no call",
        ),
        pytest.param(with_messages(CHAT, USER, tools=[TOOL]), "tools[0].function'", id="chat: a flat tool"),
        pytest.param(with_messages(CHAT, USER, tools=[CHAT_TOOL], tool_choice="any"), "'any'", id="chat: tool choice"),
        pytest.param(with_input(7), "Invalid type for 'input'", id="responses: a number"),
        pytest.param(with_input([]), "must be provided", id="responses: nothing"),
        pytest.param(with_input("x", instructions=["x"]), "expected a string", id="responses: instructions"),
        pytest.param(with_input([OUTPUT]), "No tool call found", id="responses: no call"),
        pytest.param(
            with_input([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]),
            "No tool output found for function call c", id="responses: no result",
        ),
        pytest.param(with_input("x", tools=[CHAT_TOOL]), "tools[0].name", id="responses: a nested tool"),
        pytest.param(with_input("x", tools=[TOOL], tool_choice="any"), "'any'", id="responses: tool choice"),
        pytest.param(with_input("x", stream_options={"include_usage": True}), "Unknown", id="responses: usage option"),
        pytest.param(with_messages(MESSAGES), "at least one message", id="anthropic: nothing"),
        pytest.param(with_messages(MESSAGES, USER, max_tokens=None), "max_tokens", id="anthropic: no limit"),
        pytest.param(with_messages(MESSAGES, {**USER, "role": "assistant"}), "first message", id="anthropic: order"),
        pytest.param(with_messages(MESSAGES, {**USER, "role": "system"}), "Unexpected role", id="anthropic: system"),
        pytest.param(
            with_messages(MESSAGES, {"role": "user", "content": [{"type": "text", "text": ""}]}), "non-empty",
            id="anthropic: an empty text",
        ),
        pytest.param(
            with_messages(MESSAGES, USER, USED, USER, tools=[CLAUDE_TOOL]), "without `tool_result`",
            id="anthropic: no result",
        ),
        pytest.param(with_messages(MESSAGES, USER, RESULT), "unexpected `tool_use_id`", id="anthropic: no call"),
        pytest.param(with_messages(MESSAGES, USER, tools=[TOOL]), "input_schema", id="anthropic: OpenAI's tool"),
        pytest.param(
            with_messages(MESSAGES, USER, tools=[CLAUDE_TOOL], tool_choice={"type": "required"}), "tool_choice",
            id="anthropic: tool choice",
        ),
    ],
)  # fmt: skip
def test_refusals(asked, message):
    path, body = asked
    with FakeProvider() as fake:
        answer = httpx.post(fake.anthropic_url + path, json=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
    assert answer.json()["error"]["type"] == "invalid_request_error"
    if path != MESSAGES:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", ["/v1/v1/messages", "/responses", "/v1/complete"])
def test_there_is_nothing_elsewhere(path):
    with FakeProvider() as fake:
        assert httpx.post(fake.anthropic_url + path, json={}).status_code == 404
