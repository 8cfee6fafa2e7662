"""Whatever a provider does: what the learner reads, what is stored, what is told and what was paid for."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from openedx_ai_extensions.processors.llm.provider import retry
from tests.conftest import SECRET
from tests.fakes.steps import Break, CallTools, Fail, Say, Step, ToolCall

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    """How long a retry waits is not what is tested here."""
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.02)


TOO_LONG = {"error": {"message": "maximum context length is 10 tokens", "type": "x", "code": "context_length_exceeded"}}
NOT_AN_ANSWER = b"<html>not an answer</html>"
LEARNERS_WORDS = "What is light?"


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and the error that comes of it; ``cuts`` when a stream has begun by then."""

    step: Step | str
    code: str
    status: int
    cuts: bool = False


FAULTS = {
    "a refused key": Fault(Fail(401), "invalid_api_key", 500),
    "a busy provider": Fault(Fail(429), "rate_limit_exceeded", 429),
    "a broken provider": Fault(Fail(500), "service_unavailable", 503),
    "a request that it can't read": Fault(Fail(400), "llm_config_error", 500),
    "too long for the model": Fault(Fail(400, TOO_LONG), "context_window_exceeded", 400),
    "nonsense": Fault(Fail(200, NOT_AN_ANSWER), "service_unavailable", 503),
    "silence": Fault("hang", "service_unavailable", 503),
    "a cut connection": Fault(Break(2), "service_unavailable", 503, cuts=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize(
    ("streams", "is_first", "has_tools"),
    [  # every two of them in all ways
        pytest.param(False, True, False, id="whole, first turn"),
        pytest.param(True, True, True, id="stream, first turn, tools"),
        pytest.param(True, False, False, id="stream, next turn"),
        pytest.param(False, False, True, id="whole, next turn, tools"),
    ],
)
def test_a_fault(dice_chat, api, provider, settings, tracked, caplog, fault, streams, is_first, has_tools):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    if not is_first:
        dice_chat.answer("Hello")
        assert [event["name"].rpartition(".")[2] for event in tracked] == ["initialized"]
    before = len(tracked)
    if has_tools and fault.step != "hang":  # a silent provider is silent from the beginning
        provider.then(CallTools(ToolCall("roll_dice", {})))
    if fault.step == "hang":
        settings.AI_EXTENSIONS_FIRST_BYTE_TIMEOUT = settings.AI_EXTENSIONS_TOTAL_TIMEOUT = 0.4
        provider.hang(3)
    else:
        provider.then(fault.step)
        if fault.code == "context_window_exceeded" and api == "responses" and (has_tools or not is_first):
            provider.then(fault.step)  # the provider's thread may be what is too long, so a new one is tried

    response = dice_chat.say(LEARNERS_WORDS, headers={} if streams else {"Accept": "application/json"})

    is_cut = fault.cuts and streams
    if is_cut:
        body = b"".join(response.streaming_content).decode()
        seen, marker = body.split("||")[:2]
        assert seen == "Hello from "
        assert list(json.loads(marker)) == ["error_in_stream", "code", "message"]
        assert json.loads(marker)["code"] == "streaming_failed"
    else:
        assert (response.status_code, response.json()["error"]["code"]) == (fault.status, fault.code)
    assert SECRET not in caplog.text
    assert LEARNERS_WORDS not in caplog.text

    # Stored: the question, with what came of it; the turns before it are as they were.
    provider.hang(0)
    shown = json.loads(dice_chat.answer())["messages"]
    mine = shown[0 if is_first else 2 :]
    assert [(m["role"], m["content"], m.get("status")) for m in mine] == (
        [("user", LEARNERS_WORDS, None), ("assistant", "Hello from ", "interrupted")]
        if is_cut
        else [("user", LEARNERS_WORDS, "failed")]
    )
    # Told: nothing, for there was no answer.
    assert len(tracked) == before
    # Saying it again is another try, not another question, and pays for itself only.
    settings.AI_EXTENSIONS_FIRST_BYTE_TIMEOUT = settings.AI_EXTENSIONS_TOTAL_TIMEOUT = 60
    provider.then(Say("Waves."))
    assert dice_chat.answer(LEARNERS_WORDS) == "Waves."
    again = json.loads(dice_chat.answer())["messages"][0 if is_first else 2 :]
    assert [(m["role"], m["content"], m.get("status")) for m in again] == [
        ("user", LEARNERS_WORDS, None), ("assistant", "Waves.", None),
    ]  # fmt: skip
    (event,) = tracked[before:]
    assert event["name"].rpartition(".")[2] == ("initialized" if is_first else "interacted")
    assert event["data"]["usage"]["completion_tokens"] == 4
