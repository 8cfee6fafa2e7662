"""Contexts, tools that are forgotten after a test, and a real MCP server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.tools import Tool, Toolbox, ToolContext, llm_tool, registry
from openedx_ai_extensions.tools.mcp import mcp_server
from openedx_ai_extensions.tools.registry import find_tool
from tests.conftest import COURSE_ID, UNIT_ID
from tests.tools.servers import RunningServers, running_servers

BUILT_IN = ("get_context", "get_location_content", "get_location_link", "get_course_info", "roll_dice")


def key(name: str, course: str = COURSE_ID) -> str:
    """``vertical/unit_sugar`` as the text of a usage key."""
    category, _, block_id = name.partition("/")
    return f"{course.replace('course-v1', 'block-v1')}+type@{category}+block@{block_id}"


@pytest.fixture(autouse=True)
def _forgotten_tools(monkeypatch):
    monkeypatch.setattr(registry, "_tools", dict(registry._tools))


@pytest.fixture
def context_for() -> Callable[..., ToolContext]:
    def make(user: Any, location: str | None = UNIT_ID, course: str | None = COURSE_ID) -> ToolContext:
        return ToolContext(
            user=user,
            course_id=CourseKey.from_string(course) if course else None,
            location_id=UsageKey.from_string(location) if location else None,
            platform=get_platform(),
        )

    return make


@pytest.fixture
def publish() -> Callable[..., Tool]:
    """Publish a function as ``@llm_tool`` does, and find it."""

    def make(function: Callable[..., Any], **options: Any) -> Tool:
        llm_tool(**options)(function)
        tool = find_tool(options.get("name") or function.__name__)
        assert tool is not None
        return tool

    return make


@pytest.fixture
def toolbox(publish, context_for) -> Callable[..., Toolbox]:
    """A toolbox with one function for nobody in particular."""

    def make(function: Callable[..., Any], user: Any = None, **options: Any) -> Toolbox:
        return Toolbox([publish(function, **options)], context_for(user))

    return make


@pytest.fixture(scope="session")
def servers() -> Iterator[RunningServers]:
    with running_servers() as running:
        yield running


@pytest.fixture
def ask(context_for):
    def make(user, tool, location="vertical/unit_sunlight", course=COURSE_ID, **arguments):
        context = context_for(user, key(location) if location else None, course)
        box = Toolbox([find_tool(name) for name in BUILT_IN], context)
        return box.call(tool, json.dumps(arguments))

    return make


@pytest.fixture
def configure(settings):
    """Configure one server; each test has its own, so that nothing is kept from another."""

    def make(url, name="far", **config):
        settings.AI_EXTENSIONS_MCP_CONFIGS = {name: {"URL": url, **config}}
        return mcp_server(name)

    return make
