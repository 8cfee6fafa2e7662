"""A model that looks things up: on every API, whole and streamed."""

import json

import pytest

from tests.fakes.steps import CallTools, Fail, Say, ToolCall

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_tool_is_called_and_its_result_answers(api, dice_chat, provider):
    provider.then(CallTools(ToolCall("roll_dice", {"sides": 6})), Say("You rolled."))
    assert dice_chat.answer("Roll!") == "You rolled."
    assert len(provider.requests) == 2
    result = json.dumps(provider.requests[1])
    assert "<tool_result>" in result
    assert "rolls" in result
    provider.then(Say("As before."))
    assert dice_chat.answer("What was it?") == "As before."


def test_while_streaming(api, dice_chat, provider):
    provider.then(
        CallTools(ToolCall("roll_dice", {"sides": 6}), ToolCall("roll_dice", {"sides": 20}), text=["Let me ", "see."]),
        Say(["You ", "rolled."]),
    )
    events = dice_chat.events("Roll!")
    names = [name for name, _data in events]
    assert names[0] == "start"
    assert names[-2:] == ["usage", "done"]
    assert [data for name, data in events if name == "tool"] == [
        {"name": "roll_dice", "state": state} for state in ("started", "completed") * 2
    ]
    assert "".join(data["text"] for name, data in events if name == "delta") == "Let me see.\n\nYou rolled."
    usage = next(data for name, data in events if name == "usage")
    # Anthropic counts what its cache wrote and read, too.
    assert usage["total_tokens"] == (32 if api != "anthropic" else 2080)
    assert dice_chat.shown() == [("user", "Roll!"), ("assistant", "Let me see.\n\nYou rolled.")]
    provider.then(Say("Fine."))
    assert dice_chat.stream("And now?") == "Fine."


@pytest.mark.parametrize("read", ["say", "stream"])
def test_a_model_that_never_answers(api, dice_chat, provider, settings, read):
    settings.AI_EXTENSIONS_MAX_TOOL_ROUNDS = 3
    provider.always(CallTools(ToolCall("roll_dice", {})))
    response = dice_chat.say("Roll!", headers={} if read == "stream" else {"Accept": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (500, "processor_error")
    assert "ask in another way" in response.json()["error"]["message"]
    assert len(provider.requests) == 4


def test_a_model_that_never_answers_while_streaming_events(api, dice_chat, provider, settings):
    settings.AI_EXTENSIONS_MAX_TOOL_ROUNDS = 2
    provider.always(CallTools(ToolCall("roll_dice", {})))
    *_before, (name, data) = dice_chat.events("Roll!")
    assert (name, data["code"]) == ("error", "processor_error")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (ToolCall("rm_rf", {}), "no such tool"),
        (ToolCall("get_location_content", {}), "no such tool"),
        (ToolCall("roll_dice", "{not json"), "JSON"),
        (ToolCall("roll_dice", {"sides": "many"}), "sides"),
        (ToolCall("roll_dice", {"sides": 6, "loaded": True}), "loaded"),
    ],
    ids=["unknown", "not enabled", "not JSON", "wrong type", "unknown argument"],
)
def test_a_bad_call_is_told_to_the_model(api, dice_chat, provider, call, said):
    provider.then(CallTools(call), Say("Sorry."))
    assert dice_chat.answer("Roll!") == "Sorry."
    assert said in json.dumps(provider.requests[1])


def test_only_enabled_tools_are_offered(api, dice_chat, provider):
    dice_chat.answer("Hello")
    assert "roll_dice" in json.dumps(provider.requests[0]["tools"])
    assert len(provider.requests[0]["tools"]) == 1


def test_a_failure_after_a_tool(api, dice_chat, provider, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    provider.then(CallTools(ToolCall("roll_dice", {})), Fail(500))
    response = dice_chat.say("Roll!", headers={})
    assert (response.status_code, response.json()["error"]["code"]) == (503, "service_unavailable")
    provider.then(CallTools(ToolCall("roll_dice", {}), text="Well."), Fail(500))
    assert '||{"error_in_stream": true, "code": "streaming_failed"' in dice_chat.stream("Roll again!")
    shown = json.loads(dice_chat.answer())["messages"]
    assert [(message["content"], message.get("status")) for message in shown] == [
        ("Roll!", "failed"), ("Roll again!", None), ("Well.", "interrupted"),
    ]  # fmt: skip
