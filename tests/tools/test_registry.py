"""Publishing a function as a tool."""

from __future__ import annotations

import enum
import subprocess
import sys
from typing import Annotated, Literal, Optional

import pytest
from django.core.exceptions import ImproperlyConfigured
from pydantic import AfterValidator, BaseModel, Field

from openedx_ai_extensions.functions import decorators
from openedx_ai_extensions.tools import ToolContext, llm_tool
from openedx_ai_extensions.tools.registry import find_tool, tool_names


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Strange:
    pass


def even(value: int) -> int:
    if value % 2:
        raise ValueError("is odd")
    return value


class Point(BaseModel):
    x: int
    y: int = 0


def plain(context: ToolContext, text: str, count: int = 2, share: float = 0.5, loud: bool = False):
    """Say something.

    This is for people.
    """


def rich(
    context: ToolContext,
    colour: Colour,
    mode: Annotated[Literal["a", "b"], "How."],
    words: list[str],
    maybe: Optional[int] = None,  # noqa: UP045  # people write it so
    limit: Annotated[int, Field(description="How many.", ge=1, le=9)] = 3,
    *,
    schema: str | None = None,
):
    return [colour, mode, words, maybe, limit, schema]


def test_a_plain_function(publish):
    assert publish(plain).definition == {
        "name": "plain",
        "description": "Say something.",
        "parameters": {
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "count": {"type": "integer", "default": 2},
                "share": {"type": "number", "default": 0.5},
                "loud": {"type": "boolean", "default": False},
            },
            "required": ["text"],
            "additionalProperties": False,
        },
    }


def test_richer_type_hints(publish):
    parameters = publish(rich).definition["parameters"]
    properties = parameters["properties"]
    assert parameters["required"] == ["colour", "mode", "words"]
    assert parameters["$defs"]["Colour"]["enum"] == ["red", "blue"]
    assert properties["mode"] == {"type": "string", "enum": ["a", "b"], "description": "How."}
    assert properties["words"] == {"type": "array", "items": {"type": "string"}}
    assert properties["maybe"] == {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
    assert properties["limit"] == {
        "type": "integer", "default": 3, "description": "How many.", "minimum": 1, "maximum": 9,
    }  # fmt: skip
    assert list(properties) == ["colour", "mode", "words", "maybe", "limit", "schema"]


def test_arguments_arrive_as_the_hints_say(publish):
    tool = publish(rich)
    values = tool.run(None, {"colour": "blue", "mode": "a", "words": ["x"], "schema": "s"})
    assert values == [Colour.BLUE, "a", ["x"], None, 3, "s"]


def test_models_are_hints_too(publish):
    def place(context: ToolContext, point: Point):
        return point

    assert publish(place).run(None, {"point": {"x": 1}}) == Point(x=1)


def test_a_rule_that_no_schema_can_say(toolbox):
    def halve(context: ToolContext, value: Annotated[int, AfterValidator(even)]):
        return value // 2

    box = toolbox(halve)
    assert box.call("halve", '{"value": 4}').text == "2"
    assert box.call("halve", '{"value": 3}').text == "The arguments are not valid. value: Value error, is odd"


def test_the_definition_is_the_callers_to_change(publish):
    tool = publish(plain)
    tool.definition["parameters"]["properties"].clear()
    assert tool.definition["parameters"]["properties"]


def test_it_stays_a_function():
    @llm_tool
    def twice(context: ToolContext, number: int) -> int:
        return 2 * number

    @llm_tool(name="thrice", description="Three times.", timeout=1, max_chars=50)
    def three_times(context, number: int) -> int:
        """Another description."""
        return 3 * number

    assert (twice(None, 4), three_times(None, number=4)) == (8, 12)
    tool = find_tool("thrice")
    assert (tool.description, tool.timeout, tool.max_chars) == ("Three times.", 1, 50)
    assert {"twice", "thrice"} <= tool_names()
    assert find_tool("three_times") is None


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}


def test_a_schema_of_its_own(toolbox):
    def given(context, n):
        return n

    box = toolbox(given, parameters=SCHEMA)
    assert box.definitions[0]["parameters"] == {**SCHEMA, "additionalProperties": False}
    assert box.call("given", '{"n": 3}').text == "3"
    assert not box.call("given", '{"n": 3, "m": 1}').ok


def test_any_keyword_is_fine_with_a_schema_of_its_own(toolbox):
    def anything(context, **values):
        return values

    box = toolbox(anything, parameters={"type": "object"})
    assert box.call("anything", '{"a": 1}').text == '{"a": 1}'


def test_a_name_is_taken_once(publish):
    def first(context: ToolContext):
        return 1

    def again():
        def first(context: ToolContext):
            return 2

        return first

    publish(first)
    with pytest.raises(ImproperlyConfigured, match="there is a tool 'first' already"):
        publish(again())
    publish(again(), name="second")
    assert publish(again(), name="second").run(None, {}) == 2  # as when its module is loaded again


def test_start_up_waits_for_neither_pydantic_nor_mcp():
    code = (
        "import django, os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup()\n"
        "from openedx_ai_extensions.tools import mcp, registry\n"
        "assert 'get_context' in registry.tool_names()\n"
        "sys.exit(any(name.partition('.')[0] in {'pydantic', 'mcp', 'httpx2'} for name in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


FULL = {
    "type": "function",
    "function": {
        "name": "roll",
        "description": "Roll dice.",
        "parameters": {
            "type": "object",
            "properties": {"dice": {"type": "integer", "description": "How many."}},
            "required": ["dice"],
        },
    },
}


@pytest.mark.parametrize("schema", [FULL, FULL["function"]], ids=["whole", "inner"])
def test_a_schema_as_openai_has_it(schema):
    @decorators.llm_tool(schema)
    def roll_dice(dice):
        return f"{dice} dice"

    definition = find_tool("roll").definition
    assert (definition["name"], definition["description"]) == ("roll", "Roll dice.")
    assert definition["parameters"]["properties"] == FULL["function"]["parameters"]["properties"]
    assert find_tool("roll").run(None, {"dice": 2}) == "2 dice"
    assert roll_dice(3) == "3 dice"


def test_a_function_that_needs_no_context(publish):
    def double(number: int = 1) -> int:
        """Twice as much."""
        return number * 2

    tool = publish(double)
    assert list(tool.definition["parameters"]["properties"]) == ["number"]
    assert tool.run(None, {"number": 4}) == 8
