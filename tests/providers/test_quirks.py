"""Every row of the table, by each door: what a learner gets, what is stored, emitted, billed, cached and counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openedx_ai_extensions.models import AIWorkflowRun
from openedx_ai_extensions.processors.llm import notice
from openedx_ai_extensions.processors.llm.provider import circuit, gateway
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from tests.conftest import SECRET
from tests.providers.quirks import QUIRKS, Quirk
from tests.workflows.conversations.conftest import CHAT, SSE, Chat, events_of

pytestmark = pytest.mark.django_db

STREAMED = [quirk for quirk in QUIRKS if quirk.stream is not None]
WHOLE = [quirk for quirk in QUIRKS if quirk.whole is not None]


def by_id(quirk: Quirk) -> str:
    return quirk.id


@pytest.fixture
def ask(learner, provider, make_scope, settings, monkeypatch):
    """A chat with a provider that answers as a row says."""
    monkeypatch.setattr(
        gateway, "FIRST_TEXT_SECONDS", 60
    )  # a busy machine may take long to find out that there is no text
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    provider.left_open_seconds = 5

    def prepare(quirk: Quirk, *, base: str = CHAT, **llm: Any) -> Chat:
        is_openai = quirk.model.startswith("openai/")
        entry = {
            "MODEL": quirk.model,
            "API_KEY": SECRET,
            "API_BASE": provider.base_url if is_openai else provider.anthropic_url,
        }
        settings.AI_EXTENSIONS = {"default": {**entry, **quirk.entry}}
        make_scope(base_filepath=base, slug="chat", patch={"processor_config": {"LLMProcessor": llm}})
        provider.always(quirk.wire)
        return Chat(learner)

    return prepare


def asked(provider: Any) -> list[dict[str, Any]]:
    """The requests for an answer; LiteLLM also asks Ollama what its model can do."""
    return [request for request in provider.requests if not request["path"].endswith("/api/show")]


def check_traces(quirk: Quirk, chat: Chat, provider: Any, tracked: list[dict[str, Any]]) -> None:
    """What is left behind: the conversation, the ledger's row, the event, the circuit."""
    assert len(asked(provider)) == quirk.calls
    is_answered = not (quirk.error or quirk.breaks)
    shown = dict(chat.shown())
    assert shown["user"] == "Why?"
    said = shown.get("assistant", "")
    told = notice(quirk.finish) if is_answered else ""
    assert said == (quirk.says.strip() and quirk.says) + (f"\n\n[{told}]" if told else "")
    run = AIWorkflowRun.objects.get()
    assert run.outcome == ("completed" if is_answered else "failed")
    assert run.error_code == (quirk.error or ("streaming_failed" if quirk.breaks else ""))
    assert run.calls == quirk.calls
    if not (quirk.is_fault or quirk.error in {"rate_limit_exceeded", "context_window_exceeded"}):
        assert run.finish_reason == quirk.finish
    if quirk.tokens is None:
        assert run.is_estimated
        assert run.completion_tokens > 0
    else:
        assert (run.prompt_tokens, run.completion_tokens, run.is_estimated) == (*quirk.tokens, False)
    assert len(tracked) == is_answered
    assert bool(circuit.status(find_provider("default")).failures) == quirk.is_fault


@pytest.mark.parametrize("quirk", STREAMED, ids=by_id)
def test_plain_text(quirk, ask, provider, tracked):
    chat = ask(quirk)
    response = chat.say("Why?", headers={})
    body = b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()
    if quirk.error and not quirk.says:
        assert (response.status_code, json.loads(body)["error"]["code"]) == (quirk.status, quirk.error)
    elif quirk.error or quirk.breaks:
        text, _marker, rest = body.partition("||")
        assert text == quirk.says
        assert json.loads(rest.removesuffix("||"))["error_in_stream"]
    else:
        told = notice(quirk.finish)
        assert body == quirk.says + (f"\n\n[{told}]" if told else "")
    check_traces(quirk, chat, provider, tracked)


@pytest.mark.parametrize("quirk", STREAMED, ids=by_id)
def test_events(quirk, ask, provider, tracked):
    chat = ask(quirk)
    response = chat.say("Why?", headers=SSE)
    if not response.streaming:  # it failed before the model had begun
        assert (response.status_code, response.json()["error"]["code"]) == (quirk.status, quirk.error)
        return check_traces(quirk, chat, provider, tracked)
    events = events_of(response)
    assert "".join(data["text"] for name, data in events if name == "delta") == quirk.says
    name, last = events[-1]
    if quirk.error or quirk.breaks:
        assert (name, last["code"]) == ("error", quirk.error or "streaming_failed")
    else:
        assert (name, last["status"], last["finish_reason"]) == ("done", "completed", quirk.finish)
        assert last.get("message", "") == notice(quirk.finish)
    return check_traces(quirk, chat, provider, tracked)


@pytest.mark.parametrize("quirk", WHOLE, ids=by_id)
def test_whole_answers(quirk, ask, provider, tracked):
    chat = ask(quirk, stream=False)
    response = chat.say("Why?")
    if quirk.error:
        assert (response.status_code, response.json()["error"]["code"]) == (quirk.status, quirk.error)
    else:
        told = notice(quirk.finish)
        assert response.json()["response"] == quirk.says + (f"\n\n[{told}]" if told else "")
        assert response.json().get("finish_reason") == (quirk.finish if told else None)
    check_traces(quirk, chat, provider, tracked)


@pytest.mark.parametrize(
    "quirk", [row for row in QUIRKS if row.calls == 1 and not row.id.startswith("Responses")], ids=by_id
)
def test_only_whole_answers_are_cached(quirk, ask, provider, settings):
    settings.AI_EXTENSIONS_ENABLE_LLM_CACHE = True
    # Its own: an earlier test's provider may have had the same port.
    settings.AI_EXTENSIONS_LLM_CACHE = {"type": "local", "namespace": quirk.id}
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 0
    chat = ask(quirk, base="base/summary.json5", cache=True, stream=quirk.stream is not None)
    for _number in range(2):
        chat.stream("Why?")
    is_cached = quirk.finish == "stop" and not (quirk.error or quirk.breaks)
    assert len(asked(provider)) == (1 if is_cached else 2)
