"""What schema 1.0 refuses, where and in which words."""

import json

import pytest

from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.core.schema import misspelling_problems
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.template_utils import (
    load_template,
    merge_template_with_patch,
    validate_workflow_config,
)

LLM = "$.processor_config.LLMProcessor"
OPENEDX = "$.processor_config.OpenEdXProcessor"
UI = "$.actuator_config.UIComponents"


def changed(patch):
    return merge_template_with_patch(load_template("base/summary.json5"), patch)


def section(name, **values):
    return {"processor_config": {name: values}}


def ui(**components):
    return {"actuator_config": {"UIComponents": components}}


def text(value):
    return ui(request={"config": {"buttonText": value}})


def row(patch, path, words, name):
    return pytest.param(patch, f"{path}: {words}", id=name)


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        row({"schema_version": None}, "$.schema_version", "This is required.", "no version"),
        row({"schema_version": "2.0"}, "$.schema_version", 'This must be one of: "1.0".', "another version"),
        row({"schema_version": 1.0}, "$.schema_version", 'This must be one of: "1.0".', "a version that is a number"),
        row({"orchestrator_class": None}, "$.orchestrator_class", "This is required.", "no orchestrator"),
        row({"orchestrator_class": ""}, "$.orchestrator_class", "This must not be empty.", "empty orchestrator"),
        row({"orchestrator_class": 3}, "$.orchestrator_class", "This must be a text.", "orchestrator is a number"),
        row({"processor_config": None}, "$.processor_config", "This is required.", "no processors"),
        row({"processor_config": []}, "$.processor_config", "This must be an object.", "processors are a list"),
        row({"processor_config": {"LLMProcessor": None, "OpenEdXProcessor": None}}, "$.processor_config",
            "This must not be empty.", "not one processor"),
        row({"processor_config": {"Mine": "x"}}, "$.processor_config.Mine", "This must be an object.",
            "an unknown processor that is no object"),
        row(section("OpenEdXProcessor", retrieval_mode="all"), f"{OPENEDX}.retrieval_mode",
            'This must be one of: "unit", "sequence", "up_to_current_unit".', "unknown retrieval mode"),
        row(section("OpenEdXProcessor", char_limit=0), f"{OPENEDX}.char_limit", "This must be 1 or more.",
            "no characters"),
        row(section("OpenEdXProcessor", char_limit="9"), f"{OPENEDX}.char_limit",
            "This must be a whole number / null.", "a limit in words"),
        row(section("OpenEdXProcessor", fields=["a", 1]), f"{OPENEDX}.fields[1]", "This must be a text.",
            "a field that is a number"),
        row(section("LLMProcessor", function=1), f"{LLM}.function", "This must be a text.", "function is a number"),
        row(section("EducatorAssistantProcessor", options=5), "$.processor_config.EducatorAssistantProcessor.options",
            "This must be an object / null.", "options of the one who writes questions are a number"),
        row(section("LLMProcessor", prompt=["a"]), f"{LLM}.prompt", "This must be a text / null.", "prompt is a list"),
        row(section("LLMProcessor", language="Spanish"), f"{LLM}.language",
            "This must be learner, course, or the code of a language, such as es.", "the name of a language"),
        row(section("LLMProcessor", stream="yes"), f"{LLM}.stream", "This must be true or false.", "stream in words"),
        row(section("LLMProcessor", options=[]), f"{LLM}.options", "This must be an object / null.",
            "options are a list"),
        row(section("LLMProcessor", enabled_tools="x"), f"{LLM}.enabled_tools", "This must be a list / null.",
            "tools are a text"),
        row(section("LLMProcessor", fallbacks=[{}]), f"{LLM}.fallbacks[0]", "This must be a text.",
            "a fallback that is an object"),
        row(section("SubmissionProcessor", max_context_messages=0),
            "$.processor_config.SubmissionProcessor.max_context_messages", "This must be 1 or more.", "no messages"),
        row({"actuator_config": None}, "$.actuator_config", "This is required.", "no actuators"),
        row({"actuator_config": {"UIComponents": None}}, UI, "This is required.", "no components"),
        row(ui(request=None, response=None), UI, "This must not be empty.", "not one component"),
        row(ui(request={"component": None}), f"{UI}.request.component", "This is required.", "a nameless component"),
        row(ui(response={"component": ""}), f"{UI}.response.component", "This must not be empty.", "an empty name"),
        row(ui(response={"config": 1}), f"{UI}.response.config", "This must be an object.", "config is a number"),
        row(text(3), f"{UI}.request.config.buttonText", "This must be a text / an object / null.",
            "a text that is a number"),
        row(text({"es": 3}), f"{UI}.request.config.buttonText.es", "This must be a text.",
            "a text in Spanish that is a number"),
        row(text({"Spanish": "Ir"}), f"{UI}.request.config.buttonText.Spanish",
            "“Spanish” is not the code of a language, such as en or es-419.", "a text by the name of a language"),
        row(text({"es 419": "Ir"}), f"{UI}.request.config.buttonText['es 419']",
            "“es 419” is not the code of a language, such as en or es-419.", "an unusual name"),
        row(text({"es": None}), f"{UI}.request.config.buttonText", "This must not be empty.", "a text in no language"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_path(patch, message):
    assert validate_workflow_config(changed(patch)) == (False, [message])


def test_all_problems_are_told_at_once():
    valid, messages = validate_workflow_config({})
    assert not valid
    assert messages == [
        f"$.{name}: This is required."
        for name in ("schema_version", "orchestrator_class", "processor_config", "actuator_config")
    ]


@pytest.mark.parametrize("config", [None, [], "text", 1], ids=["null", "a list", "a text", "a number"])
def test_a_configuration_is_an_object(config):
    assert validate_workflow_config(config) == (False, ["$: This must be an object."])


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({}, id="the template itself"),
        pytest.param({"x_own": {"any": [1]}}, id="at the top"),
        pytest.param(section("OwnProcessor", anything=1), id="a processor of one's own"),
        pytest.param(section("LLMProcessor", x_own=1), id="in a known processor"),
        pytest.param(ui(sidebar={"any": 1}), id="a component of one's own"),
        pytest.param(text({"en": "Go", "es-419": "Ir", "zh_HANS": ""}), id="a text per language"),
        pytest.param(section("OpenEdXProcessor", char_limit=1, fields=[]), id="known keys at their limits"),
    ],
)
def test_unknown_keys_are_kept(patch):
    config = changed(patch)
    assert validate_workflow_config(config) == (True, [])
    assert merge_template_with_patch(config, patch) == config


@pytest.mark.parametrize(
    ("patch", "path", "name", "meant"),
    [
        ({"orchestrator_clas": "X"}, "$", "orchestrator_clas", "orchestrator_class"),
        ({"ActuatorConfig": {}}, "$", "ActuatorConfig", "actuator_config"),
        (section("LLMProcessor", promt="Hi"), LLM, "promt", "prompt"),
        (section("LLMProcessor", Prompt="Hi"), LLM, "Prompt", "prompt"),
        (section("OpenEdXProcessor", charlimit=5), OPENEDX, "charlimit", "char_limit"),
        (ui(request={"config": {"button_text": "Go"}}), f"{UI}.request.config", "button_text", "buttonText"),
        (ui(request={"confg": {}}), f"{UI}.request", "confg", "config"),
    ],
    ids=["at the top", "in another style", "a letter less", "a capital", "no underscore", "an underscore", "a section"],
)
def test_a_misspelt_key_is_a_warning(db, settings, patch, path, name, meant):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/gpt-fake"}}
    profile = AIWorkflowProfile(slug="mine", base_filepath="base/summary.json5", content_patch=json.dumps(patch))
    profile.full_clean()
    message = f"{path}.{name}: The key “{name}” is unknown. Do you mean “{meant}”?"
    assert [(str(problem), problem.severity) for problem in profile.problems()] == [(message, Severity.WARNING)]


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"x_own": {"promt": 1}}, id="inside a key of an extension"),
        pytest.param(section("MyLLMProcessor", promt=1), id="a processor of an extension"),
        pytest.param(ui(requests={"component": "Mine"}), id="a component of an extension"),
        pytest.param(section("LLMProcessor", options={"max_token": 5}), id="an option, which its own check refuses"),
        pytest.param(ui(request={"config": {"title": "Go"}}), id="a parameter of a component"),
    ],
)
def test_other_unknown_keys_are_not_taken_for_misspellings(patch):
    assert list(misspelling_problems(changed(patch))) == []
