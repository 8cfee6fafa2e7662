"""Calling tools with whatever a model sends."""

from __future__ import annotations

import logging
from typing import Literal

import pytest

from openedx_ai_extensions.exceptions import NotAllowed
from openedx_ai_extensions.tools import Toolbox, ToolContext, ToolResult

SECRET = "the learner's own words"


def repeat(
    context: ToolContext, text: str, times: int = 1, mode: Literal["loud", "soft"] = "soft", tags: list[str] = ()
):
    return (text.upper() if mode == "loud" else text) * times


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param('{"text": "a"}', "a", id="what must be there"),
        pytest.param('{"text": "a", "times": 2, "mode": "loud"}', "AA", id="more"),
        pytest.param('{"text": "a", "times": 2.0}', "aa", id="a whole number written as another"),
        pytest.param('{"text": "\\ud800"}', "?", id="half a character"),
        pytest.param('{"text": ""}', "", id="an empty text"),
    ],
)
def test_good_arguments(toolbox, arguments, text):
    assert toolbox(repeat).call("repeat", arguments) == ToolResult(text, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param("{", ["not valid JSON"], id="half of a JSON text"),
        pytest.param("say it", ["not valid JSON"], id="words"),
        pytest.param('{"text": NaN}', ["not valid JSON"], id="not a number"),
        pytest.param("[" * 100_000, ["not valid JSON"], id="deep"),
        pytest.param('{"times": ' + "1" * 10_000 + "}", ["not valid JSON"], id="an endless number"),
        pytest.param('{"text": "' + "a" * 200_000 + '"}', ["too long"], id="an endless text"),
        pytest.param("[1]", ["must be a JSON object"], id="a list"),
        pytest.param('"text"', ["must be a JSON object"], id="a text"),
        pytest.param("null", ["must be a JSON object"], id="null"),
        pytest.param("", ["$: must satisfy required", '["text"]'], id="nothing"),
        pytest.param('{"text": 5}', ["$.text: must satisfy type", '"string"'], id="another type"),
        pytest.param('{"text": "a", "times": "2"}', ["$.times", '"integer"'], id="a number in quotes"),
        pytest.param('{"text": "a", "times": true}', ["$.times", '"integer"'], id="a truth for a number"),
        pytest.param('{"text": "a", "mode": "x"}', ["$.mode: must satisfy enum", '"loud", "soft"'], id="no such word"),
        pytest.param('{"text": "a", "tags": ["b", 1]}', ["$.tags[1]", '"string"'], id="a wrong item"),
        pytest.param('{"text": "a", "foo": 1}', ["foo", '["mode", "tags", "text", "times"]'], id="one more"),
        pytest.param('{"text": 1, "times": "b"}', ["$.text", "$.times"], id="two at once"),
    ],
)
def test_bad_arguments_are_told_so_that_a_model_can_mend_them(toolbox, arguments, told):
    result = toolbox(repeat).call("repeat", arguments)
    assert not result.ok
    assert not [words for words in told if words not in result.text]
    assert len(result.text) < 2_000


def test_a_wrong_argument_is_not_repeated_at_length(toolbox):
    result = toolbox(repeat).call("repeat", '{"text": [' + ",".join(["1"] * 20_000) + "]}")
    assert "$.text" in result.text
    assert len(result.text) < 1_000


@pytest.mark.parametrize("name", ["other", "", "repeat ", "run", "__class__", "x" * 10_000, None, ["repeat"]])
def test_only_its_own_tools_are_called(publish, toolbox, name):
    publish(lambda context: "called", name="other")
    result = toolbox(repeat).call(name, '{"text": "a"}')
    assert (result.ok, result.text) == (False, "There is no such tool here. There are: repeat.")


def test_no_tools(context_for):
    box = Toolbox([], context_for(None))
    assert not box
    assert box.definitions == []
    assert not box.call("repeat", "{}").ok


def test_the_first_of_two_with_one_name_counts(publish, context_for, caplog):
    local = publish(lambda context: "local", name="same")
    box = Toolbox([local, publish(lambda context: "remote", name="same")], context_for(None))
    assert box
    assert len(box.definitions) == 1
    assert box.call("same", "").text == "local"
    assert "tool.shadowed name=same" in caplog.text


def test_permission(publish, context_for, learner, author):
    tool = publish(repeat, permission=lambda context: context.user == author)
    allowed, denied = Toolbox([tool], context_for(author)), Toolbox([tool], context_for(learner))
    assert [definition["name"] for definition in allowed.definitions] == ["repeat"]
    assert allowed.call("repeat", '{"text": "a"}').ok
    assert denied.definitions == []
    assert denied.call("repeat", '{"text": "a"}') == ToolResult(str(NotAllowed()), False)
    assert denied.call("repeat", "not JSON") == ToolResult(str(NotAllowed()), False)


def test_a_permission_that_breaks_permits_nothing(toolbox, caplog):
    box = toolbox(repeat, permission=lambda context: context.nothing)
    assert box.definitions == []
    assert box.call("repeat", '{"text": "a"}') == ToolResult("The tool failed.", False)
    assert "tool.failed name=repeat error=AttributeError" in caplog.text


@pytest.mark.parametrize("error", [ValueError, KeyError, RecursionError, MemoryError, SystemExit, AssertionError])
def test_the_text_of_an_error_goes_nowhere(toolbox, caplog, error):
    caplog.set_level(logging.DEBUG)

    def broken(context: ToolContext, text: str):
        raise error(text)

    assert toolbox(broken).call("broken", f'{{"text": "{SECRET}"}}') == ToolResult("The tool failed.", False)
    assert SECRET not in caplog.text
    assert "tool.call name=broken ok=False reason=failed" in caplog.text
    assert f"tool.failed name=broken error={error.__name__}" in caplog.text


def test_an_error_of_ours_is_told(toolbox):
    def refuse(context: ToolContext):
        raise NotAllowed(["Not here.", "Not now."])

    assert toolbox(refuse).call("refuse", "") == ToolResult("Not here. Not now.", False)


def test_nothing_a_person_wrote_is_logged(toolbox, caplog):
    caplog.set_level(logging.DEBUG)
    box = toolbox(repeat)
    box.call("repeat", f'{{"text": "{SECRET}"}}')
    box.call("repeat", f'{{"txt": "{SECRET}"}}')
    box.call(SECRET, "{}")
    lines = [record.getMessage().rpartition(" ")[0] for record in caplog.records]
    assert lines == [
        "tool.call name=repeat ok=True reason=done",
        "tool.call name=repeat ok=False reason=validation_error",
        "tool.call name=? ok=False reason=unknown",
    ]


class Loop(list):
    def __init__(self):
        super().__init__([self])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("ä text", "ä text", id="a text as it is"),
        pytest.param({"ä": [1, None]}, '{"ä": [1, null]}', id="JSON"),
        pytest.param(None, "null", id="nothing"),
        pytest.param({1}, '"{1}"', id="anything else as text"),
        pytest.param(Loop(), "The tool failed.", id="a circle"),
        pytest.param({(1, 2): 3}, "The tool failed.", id="keys that are none"),
    ],
)
def test_results(toolbox, value, text):
    assert toolbox(lambda context: value, name="give").call("give", "").text == text


@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        pytest.param("word " * 1_000, "word word", " word", id="between words"),
        pytest.param("x" * 5_000, "xxx", "xxx", id="where there are no words"),
        pytest.param("short " + "x" * 5_000, "short xxx", "xxx", id="in a word that is nearly all"),
    ],
)
def test_a_long_result_is_cut(toolbox, value, start, end):
    result = toolbox(lambda context: value, name="give", max_chars=300).call("give", "")
    body, _line, notice = result.text.rpartition("\n")
    assert result.ok
    assert 200 < len(result.text) <= 300
    assert body.startswith(start)
    assert body.endswith(end)
    assert notice == f"[Cut here: the whole result is {len(value)} characters long.]"


@pytest.mark.parametrize("length", [1, 299, 300])
def test_a_result_that_fits_is_left_alone(toolbox, length):
    assert toolbox(lambda context: "a" * length, name="give", max_chars=300).call("give", "").text == "a" * length
