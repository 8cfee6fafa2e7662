"""Tools as models and servers really ask for them, and thinking that goes back within a turn."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openedx_ai_extensions.processors.llm.provider import circuit
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from tests.fakes.steps import CallTools, Fail, Say, ToolCall, Wire
from tests.providers.conftest import point_to
from tests.providers.shapes import (
    DONE,
    anthropic,
    anthropic_text,
    anthropic_whole,
    chunk,
    event,
    gemini,
    message,
    ollama,
    ollama_lines,
    text,
    usage,
)
from tests.workflows.conversations.conftest import JSON, Chat

pytestmark = pytest.mark.django_db(transaction=True)

READ = [pytest.param(Chat.answer, id="whole"), pytest.param(Chat.stream, id="stream")]


def function(name: str = "get_context", arguments: Any = "{}", **call: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **call}


def calls(*fragments: dict[str, Any], finish: str = "tool_calls") -> Wire:
    """Tool calls, in one chunk each, and whole."""
    chunks = [chunk({"tool_calls": [fragment]}) for fragment in fragments]
    return Wire((*chunks, chunk(finish=finish), usage(), DONE), message(None, finish, tool_calls=list(fragments)))


def results(request: dict[str, Any]) -> list[str]:
    """What the tools said, in a request of OpenAI's form."""
    return [said["content"] for said in request["messages"] if said["role"] == "tool"]


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(calls(function(index=0), function("get_location_link", index=0)), id="index 0, no ids"),
        pytest.param(calls(function(index=0), function(index=0)), id="the same twice at index 0, no ids"),
        pytest.param(calls(function(), function("get_location_link")), id="no index, no ids"),
        pytest.param(calls(function(index=0, id="a"), function(index=0, id="b")), id="index 0, ids"),
        pytest.param(calls(function(index=0, id=""), function(index=1, id="")), id="empty ids"),
        pytest.param(
            calls(function(arguments={}, index=0), function(arguments={}, index=1)), id="arguments as objects"
        ),
        pytest.param(calls(function(arguments="", index=0), function(arguments=None, index=1)), id="no arguments"),
        pytest.param(calls(function(index=0), function(index=1), finish="stop"), id="finish_reason stop"),
    ],
)
def test_two_calls_in_odd_forms(tutor, provider, read, wire):
    provider.then(wire, Say("Both ran."))
    assert read(tutor, "Look!") == "Both ran."
    assert len(results(provider.requests[1])) == 2
    assert not [result for result in results(provider.requests[1]) if "failed" in result or "not valid" in result]


def refusal(read: Any, tutor: Chat) -> str:
    """The code of the error that a turn ends with before there is any text."""
    response = tutor.say("Look!", headers={} if read is Chat.stream else JSON)
    return json.loads(b"".join(response.streaming_content) if response.streaming else response.content)["error"]["code"]


STILL_HERE = {
    "openai/gpt-fake": Wire((text("Still here."), chunk(finish="stop"), usage(), DONE), message("Still here.")),
    "anthropic/claude-fake": Wire(
        anthropic(anthropic_text("Still here.")), anthropic_whole({"type": "text", "text": "Still here."})
    ),
    "gemini/gemini-fake": Wire((event(gemini({"text": "Still here."})),), gemini({"text": "Still here."})),
    "ollama_chat/fake": Wire(ollama_lines(ollama("Still here.", done=True)), ollama("Still here.", done=True)),
}


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize(
    "arguments",
    ['{"a', "[1]", "null", "not json", '{"a": NaN}', '{"a": "\\ud83d"}', '{"location_id": 1e999}', '"text"', "{}{}"],
)
@pytest.mark.parametrize("later", STILL_HERE)
def test_arguments_that_cannot_be_parsed_do_not_kill_the_chat(tutor, provider, settings, read, arguments, later):
    provider.then(
        calls(function("get_location_link", arguments, index=0, id="call_1"), finish="length"), Say("I can't.")
    )
    assert read(tutor, "Look!") == "I can't."
    (sent,) = (said for said in provider.requests[1]["messages"] if said.get("tool_calls"))
    json.dumps(json.loads(sent["tool_calls"][0]["function"]["arguments"]), allow_nan=False).encode()
    point_to(provider, settings, later)
    provider.always(STILL_HERE[later])
    assert read(tutor, "And now?") == "Still here."


@pytest.mark.parametrize("read", READ)
def test_a_name_that_no_provider_takes_back(tutor, provider, read):
    name = "search the course! " * 10
    provider.then(CallTools(ToolCall(name, {}, id="call 1/é")), Say("I can't."))
    assert read(tutor, "Look!") == "I can't."
    call = next(said for said in provider.requests[1]["messages"] if said.get("tool_calls"))["tool_calls"][0]
    result = next(said for said in provider.requests[1]["messages"] if said["role"] == "tool")
    assert call["function"]["name"] == "search_the_course__search_the_course__search_the_course__search_"
    assert call["id"] == result["tool_call_id"] == "call_1__"


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize(
    ("model", "given", "taken"),
    [
        ("openai/gpt-fake", "reasoning_content", "reasoning_content"),
        ("openai/gpt-fake", "reasoning", "reasoning"),
        ("deepseek/deepseek-reasoner", "reasoning_content", "reasoning_content"),
        ("groq/fake", "reasoning", "reasoning"),
    ],
)
def test_thinking_goes_back_within_the_turn_and_not_after_it(tutor, provider, settings, read, model, given, taken):
    point_to(provider, settings, model)
    call = function(index=0, id="call_1")
    asking = Wire(
        (
            chunk({given: "Hm. "}),
            chunk({given: "Well."}),
            chunk({"tool_calls": [call]}),
            chunk(finish="tool_calls"),
            DONE,
        ),
        message(None, "tool_calls", tool_calls=[call], **{given: "Hm. Well."}) | {"service_tier": "auto"},
    )
    said = Wire((text("Done."), chunk(finish="stop"), usage(), DONE), message("Done.") | {"service_tier": "auto"})
    provider.then(asking, said, said)
    assert read(tutor, "Look!") == "Done."
    (back,) = (message for message in provider.requests[1]["messages"] if message["role"] == "assistant")
    assert back[taken] == "Hm. Well."
    assert read(tutor, "And now?") == "Done."
    assert "Hm." not in json.dumps(provider.requests[2])


@pytest.mark.parametrize("read", READ)
def test_anthropic_gets_its_thinking_back_with_its_signature(tutor, provider, settings, read):
    point_to(provider, settings, "anthropic/claude-fake")
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "signed"}
    hidden = {"type": "redacted_thinking", "data": "secret"}
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_context", "input": {}}
    asking = Wire(
        anthropic(
            (
                {"type": "thinking", "thinking": "", "signature": ""},
                (
                    {"type": "thinking_delta", "thinking": "H"},
                    {"type": "thinking_delta", "thinking": "m."},
                    {"type": "signature_delta", "signature": "signed"},
                ),
            ),
            (hidden, ()),
            (call, ({"type": "input_json_delta", "partial_json": "{}"},)),
            stop="tool_use",
        ),
        anthropic_whole(thought, hidden, call, stop="tool_use"),
    )
    said = Wire(anthropic(anthropic_text("Done.")), anthropic_whole({"type": "text", "text": "Done."}))
    provider.then(asking, said, said)
    assert read(tutor, "Look!") == "Done."
    (back,) = (message for message in provider.requests[1]["messages"] if message["role"] == "assistant")
    blocks = [
        {key: block[key] for key in ("type", "thinking", "signature", "data") if key in block}
        for block in back["content"]
    ]
    assert blocks == [thought, hidden, {"type": "tool_use"}]
    assert read(tutor, "And now?") == "Done."
    assert "signed" not in json.dumps(provider.requests[2])


@pytest.mark.parametrize("read", READ)
def test_gemini_gets_the_signature_of_its_call_back(tutor, provider, settings, read):
    point_to(provider, settings, "gemini/gemini-3-fake")
    part = {"functionCall": {"name": "get_context", "args": {}}, "thoughtSignature": "c2lnbmVk"}
    said = Wire((event(gemini({"text": "Done."})),), gemini({"text": "Done."}))
    provider.then(Wire((event(gemini(part)),), gemini(part)), said)
    assert read(tutor, "Look!") == "Done."
    (back,) = (content for content in provider.requests[1]["contents"] if content["role"] == "model")
    assert back["parts"][0]["thoughtSignature"] == "c2lnbmVk"


@pytest.mark.parametrize("read", READ)
def test_openrouter_gets_its_details_back(tutor, provider, settings, read):
    point_to(provider, settings, "openai/gpt-fake")
    details = [
        {"type": "reasoning.text", "text": "Hm.", "index": 0, "format": "x"},
        {"type": "reasoning.encrypted", "data": "e"},
    ]
    call = function(index=0, id="call_1")
    pieces = [chunk({"reasoning_details": [{**details[0], "text": piece}]}) for piece in ("H", "m.")]
    asking = Wire(
        (
            *pieces,
            chunk({"reasoning_details": details[1:]}),
            chunk({"tool_calls": [call]}),
            chunk(finish="tool_calls"),
            DONE,
        ),
        message(None, "tool_calls", tool_calls=[call], reasoning_details=details),
    )
    provider.then(asking, Say("Done."))
    assert read(tutor, "Look!") == "Done."
    (back,) = (message for message in provider.requests[1]["messages"] if message["role"] == "assistant")
    assert back["reasoning_details"] == details


@pytest.mark.parametrize("read", READ)
def test_an_empty_answer_after_tools_is_asked_for_again(tutor, provider, read):
    empty = Wire((chunk(finish="stop"), usage(), DONE), message(""))
    provider.then(calls(function(index=0, id="call_1")), empty, Say("Now then."))
    assert read(tutor, "Look!") == "Now then."
    assert provider.requests[1]["messages"] == provider.requests[2]["messages"]


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("finish", ["content_filter", "refusal"])
def test_no_tool_runs_for_an_answer_that_was_declined(tutor, provider, read, finish):
    provider.always(calls(function(index=0, id="call_1"), finish=finish))
    assert refusal(read, tutor) == "answer_declined"
    assert len(provider.requests) == 1


@pytest.mark.parametrize("read", READ)
def test_a_call_that_was_cut_off_before_its_arguments_does_not_run(tutor, provider, read):
    whole = function(index=0, id="call_1")
    provider.then(calls(whole, function(arguments="", index=1, id="call_2"), finish="length"), Say("One ran."))
    assert read(tutor, "Look!") == "One ran."
    ran, cut_off = results(provider.requests[1])
    assert "not valid JSON" not in ran
    assert "not valid JSON" in cut_off


@pytest.mark.parametrize("read", READ)
def test_what_is_shown_is_not_said_again_after_a_malformed_call(tutor, provider, read):
    said = Wire((text("Let me look."), chunk(finish="malformed_function_call"), usage(), DONE),
                message("Let me look.", "malformed_function_call"))  # fmt: skip
    provider.always(said)
    assert read(tutor, "Look!").startswith("Let me look.\n\n[The AI stopped")
    assert len(provider.requests) == 1


FAILED_CALL = {
    "message": "Failed to call a function. Please adjust your prompt.",
    "type": "invalid_request_error",
    "code": "tool_use_failed",
    "failed_generation": "<function=get_context{}</function>",
}


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("model", ["openai/gpt-fake", "groq/fake"])
def test_a_call_that_groq_could_not_read_is_asked_for_again(tutor, provider, settings, read, model):
    point_to(provider, settings, model)
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    refused = Fail(400, {"error": FAILED_CALL})
    said = Wire((text("Done."), chunk(finish="stop"), usage(), DONE), message("Done.") | {"service_tier": "auto"})
    provider.then(refused, said)
    assert read(tutor, "Look!") == "Done."
    provider.always(refused)
    assert refusal(read, tutor) == "service_unavailable"
    assert len(provider.requests) == 4
    assert circuit.status(find_provider("default")).failures == 0


def test_a_call_that_groq_could_not_read_within_a_stream(tutor, provider):
    failed = Wire((event({"error": {**FAILED_CALL, "status_code": 400}}, "error"),))
    provider.then(failed, Say("Done."))
    assert tutor.stream("Look!") == "Done."
