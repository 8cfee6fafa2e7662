"""The fake provider is believed by those who know the real ones: LiteLLM, and the types of OpenAI's own client."""

from __future__ import annotations

import json
import os

import httpx
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_item_list import ResponseItemList
from pydantic import TypeAdapter

from tests.fakes.provider import Break, CallTools, Fail, FakeProvider, Say, ToolCall
from tests.waiting import eventually

ASK = [{"role": "user", "content": "Why?"}]
SCHEMA = {"type": "object", "properties": {"term": {"type": "string"}}}
CHAT_TOOL = {"type": "function", "function": {"name": "look_up", "description": "Look up.", "parameters": SCHEMA}}
TOOL = {"type": "function", **CHAT_TOOL["function"]}
WANTED = [("look_up", {"term": "léaf 🌱"}), ("look_up", {})]
CALLS = CallTools(*(ToolCall(*wanted) for wanted in WANTED), text=["One ", "moment."])
BODIES = {
    "/v1/chat/completions": {"model": "gpt-fake", "messages": ASK},
    "/v1/responses": {"model": "gpt-fake", "input": "Why?"},
    "/v1/messages": {"model": "claude-fake", "max_tokens": 9, "messages": ASK},
}
CHAT, RESPONSES, MESSAGES = BODIES
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
EVERY_API = pytest.mark.parametrize("path", BODIES)


@pytest.fixture(scope="module")
def litellm():
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    import litellm

    return litellm


@pytest.fixture
def fake():
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def chat(litellm, fake, request):
    """Complete with the model of this row; returns text, calls, message and usage."""
    bases = {"openai/gpt-fake": fake.base_url, "anthropic/claude-fake": fake.anthropic_url}
    common = {"model": request.param, "api_base": bases[request.param], "api_key": "k", "tools": [CHAT_TOOL]}

    def complete(messages, *, stream):
        extra = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        answer = litellm.completion(messages=messages, **common, **extra)
        answer = litellm.stream_chunk_builder(list(answer), messages=messages) if stream else answer
        message = answer.choices[0].message
        calls = [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []]
        return message, calls, answer.choices[0].finish_reason, answer.usage

    return complete


EVERY_MODEL = pytest.mark.parametrize("chat", ["openai/gpt-fake", "anthropic/claude-fake"], indirect=True)


@pytest.fixture
def respond(litellm, fake):
    """Ask the Responses API. LiteLLM pretends to stream from models that it does not know, so this one it knows."""

    def ask(given, *, stream=False, **options):
        arguments = {"model": "openai/gpt-4o-mini", "api_base": fake.base_url, "api_key": "k", "tools": [TOOL]}
        answer = litellm.responses(input=given, stream=stream, **arguments, **options)
        if not stream:
            return answer
        events = list(answer)
        # LiteLLM leaves a stream open after its last event. Python's garbage collector would close it at any time,
        # which blocks for ever while the same thread holds the lock of httpx's connection pool.
        answer.response.close()
        return events[-1].response

    return ask


def post(fake, path, **more):
    return httpx.post(fake.anthropic_url + path, json={**BODIES[path], **more}, timeout=60)


def post_broken(fake, path):
    """The events that arrive before the connection breaks."""
    lines = []
    with (
        httpx.stream("POST", fake.anthropic_url + path, json={**BODIES[path], "stream": True}) as response,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        lines.extend(response.iter_lines())
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def events_of(response):
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


@STREAMED
@EVERY_MODEL
def test_text_through_litellm(fake, chat, stream):
    fake.reply(["Näive ", "🌱"], split_bytes=True)
    message, calls, reason, usage = chat(ASK, stream=stream)
    assert (message.content, calls, reason) == ("Näive 🌱", [], "stop")
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (12, 4, 16)


@STREAMED
@EVERY_MODEL
def test_tools_there_and_back_through_litellm(fake, chat, stream):
    fake.then(CALLS, Say("A leaf is green."))
    message, calls, reason, _usage = chat(ASK, stream=stream)
    assert (message.content, calls, reason) == ("One moment.", WANTED, "tool_calls")
    results = [{"role": "tool", "tool_call_id": call.id, "content": "green"} for call in message.tool_calls]
    answer, *_rest = chat([*ASK, message.model_dump(), *results], stream=stream)
    assert answer.content == "A leaf is green."


@STREAMED
def test_responses_there_and_back_through_litellm(litellm, fake, respond, stream):
    fake.then(CALLS, Say(["A leaf ", "is green."]))
    first = respond("Why?", stream=stream, instructions="Be brief.")
    calls = [item for item in first.output if item.type == "function_call"]
    assert first.output_text == "One moment."
    assert [(call.name, json.loads(call.arguments)) for call in calls] == WANTED
    assert (first.usage.input_tokens, first.usage.output_tokens, first.usage.total_tokens) == (12, 4, 16)
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": "green"} for call in calls]
    second = respond(results, stream=stream, previous_response_id=first.id)
    assert second.output_text == "A leaf is green."
    assert [asked.get("stream", False) for asked in fake.requests] == [stream, stream]

    where = {"response_id": second.id, "api_base": fake.base_url, "api_key": "k"}
    assert litellm.get_responses(**where).output == second.output
    newest_first = litellm.list_input_items(**where)["data"]
    said, called, result = "message", "function_call", "function_call_output"
    assert [item["type"] for item in newest_first] == [result, result, called, called, said, said]
    page = litellm.list_input_items(**where, order="asc", limit=2)
    assert (page["data"], page["has_more"]) == (newest_first[:-3:-1], True)
    page = litellm.list_input_items(**where, order="asc", after=page["last_id"])
    assert (page["data"], page["has_more"]) == (newest_first[-3::-1], False)
    assert litellm.delete_responses(**where).deleted
    with pytest.raises(litellm.BadRequestError) as caught:
        litellm.get_responses(**where)
    assert caught.value.status_code == 404


@STREAMED
@pytest.mark.parametrize("lost", ["forgotten", "never stored", "cut off"])
def test_a_thread_that_is_not_there(litellm, fake, respond, lost, stream):
    if lost == "cut off":
        fake.then(Break(1))
        events = post_broken(fake, RESPONSES)
        previous = events[0]["response"]["id"]
    else:
        previous = respond("Why?", store=lost != "never stored").id
        fake.forget_threads()
    with pytest.raises(litellm.BadRequestError, match="previous_response_not_found") as caught:
        respond("And?", previous_response_id=previous, stream=stream)
    assert caught.value.status_code == 400


@pytest.mark.parametrize("version", ["2025-04-01-preview", "preview"])
def test_azure(litellm, fake, version):
    where = {"api_base": fake.anthropic_url, "api_key": "k", "api_version": version}
    first = litellm.responses(input="Why?", model="azure/deployed", **where)
    litellm.responses(input="And?", model="azure/deployed", previous_response_id=first.id, **where)
    assert litellm.get_responses(response_id=first.id, **where).id == first.id
    assert litellm.completion(messages=ASK, model="azure/deployed", **where).choices[0].message.content


@pytest.mark.parametrize(
    ("path", "whole", "event"),
    [(CHAT, ChatCompletion, ChatCompletionChunk), (RESPONSES, Response, ResponseStreamEvent)],
)
def test_openais_types_fit(fake, path, whole, event):
    fake.always(CALLS)
    answer = post(fake, path)
    TypeAdapter(whole).validate_python(answer.json())
    for data in events_of(post(fake, path, stream=True, stream_options={"include_obfuscation": False})):
        TypeAdapter(event).validate_python(data)
    if path == RESPONSES:
        items = httpx.get(f"{fake.base_url}/responses/{answer.json()['id']}/input_items").json()
        TypeAdapter(ResponseItemList).validate_python(items)


def test_the_order_of_anthropics_events(fake):
    fake.then(CallTools(ToolCall("look_up", {"term": "x"}), text="Wait."))
    kinds = [event["type"].removeprefix("content_block_") for event in events_of(post(fake, MESSAGES, stream=True))]
    text, call = ["start", "ping", "delta", "stop"], ["start", *["delta"] * 4, "stop"]
    assert kinds == ["message_start", *text, *call, "message_delta", "message_stop"]


def test_a_marked_prefix_is_written_to_the_cache_once(fake):
    def ask(system):
        block = {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
        usage = post(fake, MESSAGES, system=[block]).json()["usage"]
        return usage["cache_creation_input_tokens"] > 0, usage["cache_read_input_tokens"] > 0

    assert [ask("one"), ask("one"), ask("two")] == [(True, False), (False, True), (True, False)]


@EVERY_API
def test_broken_connections(fake, path):
    fake.reply(["one ", "two ", "three"])
    fake.then(Break(2), Break(2))
    received = json.dumps(post_broken(fake, path))
    assert ("two " in received, "three" in received) == (True, False)
    with pytest.raises(httpx.RemoteProtocolError):
        post(fake, path)
    fake.cut_after(0)
    assert post_broken(fake, path) == []


@EVERY_API
def test_other_faults(fake, path):
    fake.script.unfinished = True
    assert "model." in json.dumps(events_of(post(fake, path, stream=True))[-1])
    fake.reply(["x" * 5000] * 200, delay=0.01)
    with httpx.stream("POST", fake.anthropic_url + path, json={**BODIES[path], "stream": True}) as response:
        next(response.iter_bytes())
    eventually(lambda: fake.disconnects == 1)
    fake.garbage()
    assert post(fake, path).text.startswith("<html>")
    fake.reset()
    fake.hang(60)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(fake.anthropic_url + path, json=BODIES[path], timeout=0.2)


@STREAMED
@EVERY_API
def test_faults_come_before_steps_and_steps_before_the_script(fake, path, stream):
    fake.always(Say("always"))
    fake.then(Say("first"), Fail(529, headers={"Retry-After": "7"}))
    fake.fail(401, times=1)
    answers = [post(fake, path, stream=stream) for _ in range(5)]
    fake.reset()
    answers.append(post(fake, path, stream=stream))
    assert [answer.status_code for answer in answers] == [401, 200, 529, 200, 200, 200]
    assert answers[2].headers["Retry-After"] == "7"
    assert set(answers[2].json()) == ({"type", "error", "request_id"} if path == MESSAGES else {"error"})
    expected = ["first", "always", "always", "model."]
    assert all(word in answers[place].text for word, place in zip(expected, [1, 3, 4, 5], strict=True))
