"""What is wrong with a tool is said when it is declared."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from openedx_ai_extensions.tools import ToolContext, llm_tool
from openedx_ai_extensions.tools.registry import tool_names

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class Strange:
    pass


def plain(context: ToolContext):
    pass


def late_context(text: str, context: ToolContext):
    pass


def keyword_context(*, context: ToolContext):
    pass


def unhinted(context: ToolContext, text):
    pass


def unreadable(context: ToolContext, text: "Nowhere"):  # noqa: F821, UP037
    pass


def strange(context: ToolContext, thing: Strange):
    pass


def many(context: ToolContext, *texts: str):
    pass


def any_keyword(context: ToolContext, **texts: str):
    pass


async def later(context: ToolContext):
    pass


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        pytest.param(late_context, {}, "must be its first parameter", id="a context that is not the first"),
        pytest.param(keyword_context, {}, "must be its first parameter", id="a context by keyword"),
        pytest.param(unhinted, {}, "text has no type hint", id="no type hint"),
        pytest.param(unreadable, {}, "type hints can't be read", id="a hint of nowhere"),
        pytest.param(strange, {}, "type hint without a JSON schema", id="a hint that is no JSON"),
        pytest.param(many, {}, "arguments come by name", id="any number of arguments"),
        pytest.param(any_keyword, {}, "it takes any keyword", id="any keyword"),
        pytest.param(later, {}, "must be a function", id="an async function"),
        pytest.param(Strange, {}, "must be a function", id="a class"),
        pytest.param(plain, {"name": "say it"}, "'say it' is not 1 to 64", id="a name with a blank"),
        pytest.param(plain, {"name": ""}, "'' is not 1 to 64", id="no name"),
        pytest.param(plain, {"name": "x" * 65}, "is not 1 to 64", id="a long name"),
        pytest.param(plain, {"name": "say\n"}, "is not 1 to 64", id="a name with a line end"),
        pytest.param(plain, {"timeout": 0}, "greater than 0", id="no time"),
        pytest.param(plain, {"max_chars": 0}, "greater than 0", id="no room"),
        pytest.param(unhinted, {"parameters": []}, "type 'object'", id="a schema that is a list"),
        pytest.param(unhinted, {"parameters": {"type": "string"}}, "type 'object'", id="a schema of no object"),
        pytest.param(
            unhinted, {"parameters": {"type": "object", "required": 5}}, "not a valid JSON schema", id="a bad schema"
        ),
        pytest.param(unhinted, {"parameters": SCHEMA}, "does not take n", id="a schema of other parameters"),
        pytest.param(
            unhinted,
            {"parameters": {"type": "object", "properties": {"text": {}}}},
            "text has no default",
            id="a schema that requires too little",
        ),
        pytest.param(
            unhinted,
            {"parameters": {"type": "object", "properties": {"text": {"$ref": "file:///etc/x"}}, "required": ["text"]}},
            "other documents",
            id="a schema that refers to another document",
        ),
    ],
)
def test_a_wrong_declaration_says_so(function, options, message):
    known = tool_names()
    with pytest.raises(ImproperlyConfigured, match=message):
        llm_tool(**options)(function)
    assert tool_names() == known
