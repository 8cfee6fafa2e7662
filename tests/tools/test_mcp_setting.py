"""What the setting says of MCP servers."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.tools.mcp import mcp_server
from tests.tools.test_mcp import SECRET

GOOD = {"URL": "https://x.example/mcp"}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param({}, None, id="no servers"),
        pytest.param({"a": GOOD}, None, id="a URL is enough"),
        pytest.param({"a": {"server_url": "http://x/mcp"}}, None, id="the other name of the URL"),
        pytest.param({"a": {**GOOD, "Timeout": 2.5, "transport": "sse", "THROUGH": "client"}}, None, id="any case"),
        pytest.param([GOOD], "must be a dictionary of", id="a list"),
        pytest.param({"a": "https://x"}, "server 'a' must be a dictionary", id="an address alone"),
        pytest.param({"a": {}}, "URL", id="no URL"),
        pytest.param({"a": {"URL": "stdio:///bin/sh"}}, "URL", id="another scheme"),
        pytest.param({"a": {**GOOD, "HEADERS": {"a": 1}}}, "HEADERS", id="headers that are no texts"),
        pytest.param({"a": {**GOOD, "ALLOWED_TOOLS": "echo"}}, "ALLOWED_TOOLS", id="a name for a list of names"),
        pytest.param({"a": {**GOOD, "TIMEOUT": 0}}, "TIMEOUT", id="no time"),
        pytest.param({"a": {**GOOD, "TRANSPORT": ["sse"]}}, "TRANSPORT", id="another transport"),
        pytest.param({"a": {**GOOD, "THROUGH": "provider"}}, "THROUGH", id="another way"),
    ],
)
def test_the_setting(settings, value, problem):
    found = conf.SETTINGS["AI_EXTENSIONS_MCP_CONFIGS"].problem(value)
    assert (found is None) if problem is None else problem in found
    settings.AI_EXTENSIONS_MCP_CONFIGS = value
    assert (mcp_server("a") is not None) is (problem is None and "a" in value)


def test_a_provider_may_call_it_in_our_place(configure):
    server = configure("https://x.example/mcp", name="a b", headers={"X-Key": SECRET}, allowed_tools=["one"])
    assert server.may_be_hosted
    assert server.hosted == {
        "type": "mcp",
        "server_label": "a_b",
        "server_url": "https://x.example/mcp",
        "require_approval": "never",
        "headers": {"X-Key": SECRET},
        "allowed_tools": ["one"],
    }
    assert not configure("https://x.example/mcp", Through="client").may_be_hosted
