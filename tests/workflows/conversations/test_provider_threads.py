"""Conversations that the provider remembers too, and how they go on when it does not."""

import json

import pytest

from openedx_ai_extensions.workflows.orchestrators import threads
from tests.conftest import SECRET
from tests.fakes.steps import CallTools, Fail, Say, ToolCall
from tests.workflows.conversations.conftest import Chat

pytestmark = pytest.mark.django_db(transaction=True)


def sent_texts(provider, number=-1):
    """What a request to the Responses API says, but its instructions."""
    return [item.get("content") or item.get("output") for item in provider.requests[number]["input"]]


@pytest.fixture
def threaded(chat, responses):
    return chat


def test_only_the_new_words_are_sent(threaded, responses):
    responses.reply("Chlorophyll.")
    threaded.answer("Why green?")
    responses.reply("In leaves.")
    assert threaded.stream("Where?") == "In leaves."
    first, second = responses.requests
    assert first["path"].endswith("/responses")
    assert "previous_response_id" not in first
    assert second["previous_response_id"]
    assert len(second["input"]) == 1
    assert "Where?" in second["input"][0]["content"]
    assert second["instructions"] == first["instructions"]
    assert threaded.session.remote_response_id


def test_streams_are_streamed(threaded, responses):
    responses.reply(["In ", "leaves."], delay=0.05)
    assert threaded.stream("Where?") == "In leaves."
    assert responses.requests[-1]["stream"] is True


@pytest.mark.parametrize("read", ["answer", "stream"])
def test_a_lost_thread_is_begun_anew_from_our_history(threaded, responses, read):
    threaded.answer("Why green?")
    responses.forget_threads()
    responses.reply("In leaves.")
    assert getattr(threaded, read)("Where?") == "In leaves."
    texts = " ".join(sent_texts(responses))
    assert "Why green?" in texts
    assert "Hello from the model." in texts
    before = len(responses.requests)
    threaded.answer("Sure?")
    assert len(responses.requests) == before + 1
    assert len(responses.requests[-1]["input"]) == 1


@pytest.mark.parametrize("change", ["another provider", "another model", "chat completions"])
def test_after_a_change_of_provider_nothing_is_lost(threaded, responses, settings, change):
    threaded.answer("Why green?")
    entry = dict(settings.AI_EXTENSIONS["default"])
    if change == "another provider":
        settings.AI_EXTENSIONS = {"another": entry}
    elif change == "another model":
        settings.AI_EXTENSIONS = {"default": {**entry, "MODEL": "openai/gpt-other"}}
    else:
        settings.AI_EXTENSIONS = {
            "default": {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": entry["API_BASE"]}
        }
    threaded.answer("Where?")
    request = responses.requests[-1]
    assert "previous_response_id" not in request
    assert "Why green?" in json.dumps(request)


def test_a_thread_without_a_turn_of_another_tab_is_not_gone_on_with(threaded, responses, learner):
    threaded.answer("one")
    session = threaded.session
    metadata, remote = dict(session.metadata), session.remote_response_id
    threaded.answer("two")
    # As when the first tab's turn had ended last: the provider's thread lacks the second turn.
    session.refresh_from_db()
    session.metadata, session.remote_response_id = metadata, remote
    session.save()
    threaded.answer("three")
    texts = " ".join(sent_texts(responses))
    assert "one" in texts
    assert "two" in texts
    assert "previous_response_id" not in responses.requests[-1]


def test_a_thread_does_not_grow_for_ever(threaded, responses):
    """The provider charges for all of it, every time."""
    lengths = []
    length = 0
    for number in range(25):
        threaded.answer(f"question {number}")
        length = length + 1 if "previous_response_id" in responses.requests[-1] else 1
        lengths.append(length)
    assert max(lengths) <= 11


def test_tools_within_a_thread(threaded, responses):
    responses.then(CallTools(ToolCall("get_location_link", {})), Say("Here it is."))
    assert threaded.answer("Link?") == "Here it is."
    second = responses.requests[1]
    assert second["previous_response_id"]
    assert [item["type"] for item in second["input"]] == ["function_call_output"]
    responses.then(Say("Yes."))
    threaded.answer("Sure?")
    assert len(responses.requests[2]["input"]) == 1


def test_options_that_only_chat_completions_know(learner, responses, make_scope):
    patch = {"processor_config": {"LLMProcessor": {"options": {"seed": 7}}}}
    make_scope(base_filepath="base/chat.json5", slug="chat", patch=patch)
    Chat(learner).answer("Why green?")
    assert responses.requests[-1]["path"].endswith("/chat/completions")
    assert responses.requests[-1]["seed"] == 7


def test_options_in_the_words_of_this_api(learner, responses, make_scope):
    patch = {"processor_config": {"LLMProcessor": {"options": {"max_tokens": 77, "temperature": 0.5}}}}
    make_scope(base_filepath="base/chat.json5", slug="chat", patch=patch)
    Chat(learner).answer("Why green?")
    request = responses.requests[-1]
    assert (request["max_output_tokens"], request["temperature"]) == (77, 0.5)


def test_servers_that_only_speak_openai_s_language_get_the_whole_history(chat, provider):
    chat.answer("Why green?")
    chat.answer("Where?")
    assert [request["path"].rsplit("/", 1)[-1] for request in provider.requests] == ["completions"] * 2


def test_anthropic_caches_what_stays_the_same(chat, provider, settings):
    settings.AI_EXTENSIONS = {
        "default": {"MODEL": "anthropic/claude-fake", "API_KEY": SECRET, "API_BASE": provider.anthropic_url}
    }
    chat.stream()
    chat.answer("Why green?")
    for request in provider.requests:
        assert request["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert provider.requests[0]["system"] == provider.requests[1]["system"]
    assert provider.requests[1]["messages"][0]["role"] == "user"


def texts(thread):
    return [(entry["role"], entry["content"]) for entry in thread]


def test_the_three_threads(threaded, responses):
    responses.then(CallTools(ToolCall("get_location_link", {})), Say("Here."), Say("Yes."))
    threaded.answer("Link?")
    threaded.answer("Sure?")
    session = threaded.session
    local = session.get_local_thread()
    assert [entry["role"] for entry in local] == ["user", "assistant", "tool", "assistant", "user", "assistant"]
    assert all(entry["submission_id"] and entry["timestamp"] for entry in local)

    remote = session.get_remote_thread()
    assert len(remote) == 3
    assert [response["previous_response_id"] is None for response in remote] == [True, False, False]

    combined = session.get_combined_thread()
    assert [entry["role"] for entry in combined] == ["system", *(entry["role"] for entry in local)]
    assert texts(combined)[1:] == texts(local)
    assert [entry["source"] for entry in combined] == ["remote", *["both"] * 6]
    assert [entry.get("submission_id") for entry in combined][1:] == [entry["submission_id"] for entry in local]
    assert combined[2]["tool_calls"][0]["function"]["name"] == "get_location_link"


@pytest.mark.parametrize("seconds", [1e20, -1e20, float("nan"), float("inf"), 253402300799, 10**30])
def test_times_that_no_calendar_has_are_left_out(threaded, responses, monkeypatch, seconds):
    responses.then(Say("Yes."))
    threaded.answer("Sure?")
    remote = threads.remote_thread
    monkeypatch.setattr(
        threads, "remote_thread", lambda session: [{**each, "created_at": seconds} for each in remote(session)]
    )
    combined = threaded.session.get_combined_thread()
    assert combined[0]["timestamp"] == ""


def test_what_only_we_have_is_in_its_place(threaded, responses, settings):
    threaded.answer("one")
    entry = settings.AI_EXTENSIONS["default"]
    settings.AI_EXTENSIONS = {"default": {**entry, "CAPABILITIES": {}}}
    threaded.answer("two")
    settings.AI_EXTENSIONS = {"default": entry}
    threaded.answer("three")
    combined = threaded.session.get_combined_thread()
    said = [entry["content"] for entry in combined if entry["role"] == "user"]
    assert said == ["one", "two", "three"]


def test_a_broken_link_is_an_entry(threaded, responses):
    threaded.answer("one")
    threaded.answer("two")
    first = next(iter(responses.memory.responses))
    del responses.memory.responses[first]
    broken, known = threaded.session.get_remote_thread()
    assert broken["error"]["code"] == "service_unavailable"
    assert known["id"]
    combined = threaded.session.get_combined_thread()
    assert [entry["content"] for entry in combined if entry["role"] == "user"] == ["one", "two"]
    assert [entry.get("type") for entry in combined].count("error") == 1


def test_no_threads_before_the_first_turn(threaded):
    threaded.do("get_current_session_response")
    session = threaded.session
    assert (session.get_local_thread(), session.get_remote_thread(), session.get_combined_thread()) == (
        None,
        None,
        None,
    )


def test_a_session_without_a_remote_thread(chat):
    chat.answer("one")
    session = chat.session
    assert session.get_remote_thread() is None
    assert texts(session.get_combined_thread()) == texts(session.get_local_thread())


@pytest.mark.parametrize("version", ["preview", "2025-04-01-preview"])
def test_azure_keeps_threads_too(chat, provider, settings, version):
    settings.AI_EXTENSIONS = {
        "default": {
            "MODEL": "azure/our-deployment",
            "API_KEY": SECRET,
            "API_BASE": provider.anthropic_url,
            "API_VERSION": version,
        }
    }
    provider.reply(["Chloro", "phyll."])
    assert chat.stream("Why green?") == "Chlorophyll."
    assert chat.answer("Where?") == "Chlorophyll."
    first, second = provider.requests
    assert "/responses" in first["path"]
    assert first["stream"] is True
    assert second["previous_response_id"]
    assert [entry["role"] for entry in chat.session.get_combined_thread()][1:] == ["user", "assistant"] * 2


def test_a_text_beside_calls_is_there_once(threaded, responses):
    calls = [ToolCall("get_location_link", {}), ToolCall("get_context", {})]
    responses.then(CallTools(*calls, text="Let me see."), Say("Here."))
    threaded.answer("Link?")
    combined = threaded.session.get_combined_thread()
    assert [entry["content"] for entry in combined if entry["role"] == "assistant"] == ["Let me see.", "", "", "Here."]
    assert {entry["source"] for entry in combined[1:]} == {"both"}
    assert [len(entry["tool_calls"]) for entry in combined if entry.get("tool_calls")] == [1, 1]


def test_a_thread_that_grew_too_long_is_begun_anew(threaded, responses):
    threaded.answer("one")
    responses.then(Fail(400, {"error": {"message": "maximum context length", "code": "context_length_exceeded"}}))
    assert threaded.answer("two") == "Hello from the model."
    assert "previous_response_id" not in responses.requests[-1]


@pytest.mark.parametrize("stated", ["API_BASE", "BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE"])
def test_an_address_of_another_server_is_not_openai(chat, provider, settings, monkeypatch, stated):
    entry = {"MODEL": "openai/gpt-fake", "API_KEY": SECRET}
    if stated.startswith("OPENAI"):
        monkeypatch.setenv(stated, provider.base_url)
    else:
        entry[stated] = provider.base_url
    settings.AI_EXTENSIONS = {"default": entry}
    chat.answer("Why green?")
    assert provider.requests[-1]["path"].endswith("/chat/completions")
