"""Finding, reading and judging template files."""

import os

import pytest

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate
from openedx_ai_extensions.workflows.template_utils import (
    JSON5DecodeError,
    discover_templates,
    get_effective_config,
    load_template,
    parse_json5_string,
    shadowed_templates,
    template_problem,
    validate_workflow_config,
)

BUILT_IN = sorted(
    path.relative_to(conf.BUILT_IN_TEMPLATE_DIR).as_posix() for path in conf.BUILT_IN_TEMPLATE_DIR.rglob("*.json5")
)


@pytest.fixture
def directories(tmp_path, settings):
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "base").mkdir(parents=True)
    (second / "base").mkdir(parents=True)
    settings.WORKFLOW_TEMPLATE_DIRS = [first, str(second), tmp_path / "missing"]
    return first, second


def test_templates_of_all_directories_are_listed_by_path(directories):
    first, second = directories
    (second / "base" / "a_first-one.json5").write_text("{}")
    (first / "zebra.json").write_text("{}")
    (first / "readme.txt").write_text("not a template")
    assert discover_templates() == [("base/a_first-one.json5", "A first one (base)"), ("zebra.json", "Zebra")]


def test_the_first_directory_wins_and_the_hidden_file_is_told(directories):
    first, second = directories
    for number, directory in enumerate(directories, 1):
        (directory / "base" / "same.json5").write_text(f"{{from: {number}}}")
    (second / "base" / "other.json5").write_text("{from: 2}")
    assert load_template("base/same.json5") == {"from": 1}
    assert load_template("base/other.json5") == {"from": 2}
    assert shadowed_templates() == [("base/same.json5", second / "base" / "same.json5")]
    assert [name for name, _label in discover_templates()] == ["base/other.json5", "base/same.json5"]

    (first / "base" / "same.json5").unlink()
    assert load_template("base/same.json5") == {"from": 2}
    assert shadowed_templates() == []


def test_a_changed_file_is_read_again(directories):
    path = directories[0] / "changing.json5"
    path.write_text("{v: 1}")
    os.utime(path, ns=(1, 1))
    assert load_template("changing.json5") == {"v": 1}
    path.write_text("{v: 2}")
    os.utime(path, ns=(2, 2))
    assert load_template("changing.json5") == {"v": 2}, "same size, other time"
    path.write_text("{v: 333}")
    os.utime(path, ns=(2, 2))
    assert load_template("changing.json5") == {"v": 333}, "same time, other size"


def test_what_a_caller_does_to_a_template_stays_with_the_caller(directories):
    (directories[0] / "mine.json5").write_text("{deep: {list: [1]}}")
    load_template("mine.json5")["deep"]["list"].append(2)
    get_effective_config("mine.json5", {})["deep"]["list"].append(3)
    assert load_template("mine.json5") == {"deep": {"list": [1]}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "No template directory has this file", id="missing"),
        pytest.param(b"{a: 1\n b: 2}", "Line 2, column 2", id="not JSON5"),
        pytest.param(b"[1]", "must be an object", id="not an object"),
        pytest.param(b'\n{a: "\xff"}', "Line 2, column 6: This is not UTF-8 text.", id="not UTF-8"),
        pytest.param(b"{a: 1, a: 2}", "Line 1, column 8: This key appears twice.", id="a key twice"),
        pytest.param(b"{a: " + b"[" * 20_000 + b"]" * 20_000 + b"}", "nested too deeply", id="nested too deeply"),
    ],
)
def test_an_unusable_template_is_none_and_says_why(directories, content, words):
    if content is not None:
        (directories[0] / "broken.json5").write_bytes(content)
    assert load_template("broken.json5") is None
    assert get_effective_config("broken.json5", {}) is None
    assert words in template_problem("broken.json5")


def test_a_file_that_may_not_be_read_says_so(directories):
    (directories[0] / "folder.json5").mkdir()
    assert load_template("folder.json5") is None
    assert "No template directory" in template_problem("folder.json5")


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        pytest.param("{a 1}", 1, 4, 'Unexpected "1"', id="no colon"),
        pytest.param("{a: 1 b: 2}", 1, 7, 'Unexpected "b"', id="no comma"),
        pytest.param("{\n  a: 1,\n  b: }", 3, 6, 'Unexpected "}"', id="no value"),
        pytest.param("{a: [1,,2]}", 1, 8, 'Unexpected ","', id="two commas in a list"),
        pytest.param("{a: 1} x", 1, 8, 'Unexpected "x"', id="more after the end"),
        pytest.param("{a: 'x\ny'}", 1, 7, 'Unexpected "\n"', id="a line break in a text"),
        pytest.param("// a comment\n\n{a: 'é', b = 1}", 3, 12, 'Unexpected "="', id="after a comment and an accent"),
        pytest.param("{\n  a: 1,\n", 3, 1, "Unexpected end of input", id="no end"),
        pytest.param("{a: 01}", 1, 6, 'Unexpected "1"', id="a leading zero"),
    ],
)
def test_an_error_says_where(text, line, column, reason):
    with pytest.raises(JSON5DecodeError) as caught:
        parse_json5_string(text)
    assert (caught.value.lineno, caught.value.colno, caught.value.reason) == (line, column, reason)
    assert str(caught.value) == f"Line {line}, column {column}: {reason}"


@pytest.mark.parametrize("text", ["[]", "1", "null", "'text'", "true"])
def test_only_objects_are_templates(text):
    with pytest.raises(JSON5DecodeError, match="must be an object") as caught:
        parse_json5_string(text)
    assert (caught.value.lineno, caught.value.colno) == (None, None)


@pytest.mark.parametrize("text", ["", " \n\t", "// nothing yet", "/* off */", "\n// {a: 1}\n /* b */ //"])
def test_nothing_is_an_empty_template(text):
    assert parse_json5_string(text) == {}


@pytest.mark.parametrize("text", ["/* off", "// a\x00", "/* a */ /", "//" + "x" * 100_000])
def test_comments_alone_are_held_to_the_same_rules(text):
    with pytest.raises(JSON5DecodeError):
        parse_json5_string(text)


def test_all_that_json5_allows_is_fine():
    text = "// c\n{a: 'single', \"b\": +1, c: .5, d: 0xF, /* e */ f: [1,], g: 'two \\\nlines',}"
    assert parse_json5_string(text) == {"a": "single", "b": 1, "c": 0.5, "d": 15, "f": [1], "g": "two lines"}


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_template_is_valid_and_saves(db, name):
    assert template_problem(name) is None
    assert validate_workflow_config(load_template(name)) == (True, [])
    PromptTemplate.objects.create(slug="needed", body="Be kind.")
    profile = AIWorkflowProfile(slug="built-in", base_filepath=name)
    if "custom_prompt" in name:
        profile.content_patch = "{processor_config: {LLMProcessor: {prompt_template: 'needed'}}}"
    profile.save()
    assert profile.is_usable
    assert set(profile.get_ui_components()) >= {"request", "response"}


def test_the_built_in_templates_are_found():
    assert {"base/summary.json5", "examples/mock.json5"} <= {name for name, _label in discover_templates()}
    assert {name for name, _label in discover_templates()} >= set(BUILT_IN)
