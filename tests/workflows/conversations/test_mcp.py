"""Tools of a real MCP server in a conversation, beside our own."""

import json

import pytest

from tests.fakes.steps import CallTools, Say, ToolCall
from tests.tools.servers import running_servers
from tests.workflows.conversations.conftest import CHAT, Chat

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def servers():
    with running_servers() as running:
        yield running


@pytest.fixture
def mcp_chat(learner, make_scope, provider, settings, servers):
    settings.AI_EXTENSIONS_MCP_CONFIGS = {"school": {"url": servers.url, "allowed_tools": ["echo"]}}
    patch = {"processor_config": {"LLMProcessor": {"enabled_tools": ["roll_dice"], "mcp_configs": ["school"]}}}
    make_scope(base_filepath=CHAT, slug="chat", patch=patch)
    return Chat(learner)


def test_both_kinds_are_offered_and_called(mcp_chat, provider):
    provider.then(
        CallTools(ToolCall("school__echo", {"text": "from afar"}), ToolCall("roll_dice", {})), Say("Both came.")
    )
    assert mcp_chat.stream("Go") == "Both came."
    offered = [tool["function"]["name"] for tool in provider.requests[0]["tools"]]
    assert sorted(offered) == ["roll_dice", "school__echo"]
    results = [m["content"] for m in provider.requests[1]["messages"] if m["role"] == "tool"]
    assert "from afar" in results[0]
    assert all(result.startswith("<tool_result>") for result in results)


def test_a_profile_without_it_has_none_of_it(mcp_chat, provider, make_scope, author, settings):
    make_scope(base_filepath=CHAT, slug="other", slot="other")
    Chat(author).api.run("Hi", context={"courseId": "course-v1:OpenedX+AIX+demo", "uiSlotSelectorId": "other"})
    assert "school" not in json.dumps([request.get("tools") for request in provider.requests])


def test_the_provider_calls_it_where_it_can(mcp_chat, provider, settings, responses):
    mcp_chat.answer("Hi")
    hosted = next(tool for tool in responses.requests[0]["tools"] if tool["type"] == "mcp")
    assert hosted["server_label"] == "school"
    assert hosted["server_url"] == settings.AI_EXTENSIONS_MCP_CONFIGS["school"]["url"]
    assert hosted["allowed_tools"] == ["echo"]
    assert "school__echo" not in json.dumps(responses.requests[0])


def test_unless_the_site_wants_to_call_it_itself(mcp_chat, provider, settings, responses):
    config = settings.AI_EXTENSIONS_MCP_CONFIGS["school"]
    settings.AI_EXTENSIONS_MCP_CONFIGS = {"school": {**config, "through": "client"}}
    responses.then(CallTools(ToolCall("school__echo", {"text": "from afar"})), Say("It came."))
    assert mcp_chat.stream("Go") == "It came."
    assert "from afar" in json.dumps(responses.requests[1]["input"])


def test_a_server_that_is_down_holds_nobody_up(mcp_chat, provider, settings):
    settings.AI_EXTENSIONS_MCP_CONFIGS = {"school": {"url": "http://127.0.0.1:9/mcp"}}
    assert mcp_chat.answer("Hi") == "Hello from the model."
    assert "school" not in json.dumps(provider.requests[0]["tools"])
