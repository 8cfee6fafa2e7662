"""What ``manage.py check`` says."""

import pytest
from django.core.checks import run_checks

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.provider_entries import DEFAULT_MODELS
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.processors.llm.provider.providers import Provider, find_provider

PREFIX = "openedx_ai_extensions."
VALID = (conf.BUILT_IN_TEMPLATE_DIR / "base" / "summary.json5").read_text(encoding="utf-8")


def ours(databases=None):
    """Our messages as ``(number, text)``; each has a hint."""
    messages = [message for message in run_checks(databases=databases) if (message.id or "").startswith(PREFIX)]
    assert all(message.hint for message in messages)
    return [(message.id.removeprefix(PREFIX), message.msg) for message in messages]


@pytest.fixture(autouse=True)
def _one_provider(settings):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x"}}


@pytest.fixture
def directory(tmp_path, settings):
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path]
    (tmp_path / "own.json5").write_text(VALID)
    return tmp_path


def test_a_site_in_order_hears_nothing():
    assert ours() == []


def test_a_site_without_a_provider_is_told(settings):
    settings.AI_EXTENSIONS = {}
    assert ours() == [("I001", "No LLM provider is configured.")]
    del settings.AI_EXTENSIONS
    assert ours() == [("I001", "No LLM provider is configured.")]


@pytest.mark.parametrize("stated", [{"flies": True}, {"keeps_threads": "no"}, ["keeps_threads"], "all"])
def test_capabilities_that_do_not_exist(settings, stated):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x", "CAPABILITIES": stated}}
    ((number, text),) = ours()
    assert number == "E005"
    assert "'default'" in text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param("AI_EXTENSIONS", [], "must be a dictionary", id="providers are a list"),
        pytest.param("AI_EXTENSIONS", {"a": {}}, "provider 'a' must be a dictionary with a MODEL", id="no model"),
        pytest.param("AI_EXTENSIONS", {"a": "x"}, "provider 'a' must be a dictionary", id="a provider is a text"),
        pytest.param("WORKFLOW_TEMPLATE_DIRS", "/tmp", "must be a list of directories", id="one directory"),
        pytest.param("WORKFLOW_TEMPLATE_DIRS", [1], "must be a list of directories", id="a directory is a number"),
        pytest.param("AI_EXTENSIONS_BACKEND", "Nowhere", "must be a dotted path", id="no dotted path"),
        pytest.param("AI_EXTENSIONS_RESOLUTION_MAX_AGE", 0, "greater than 0", id="no age"),
        pytest.param("AI_EXTENSIONS_RESOLUTION_MAX_AGE", True, "greater than 0", id="an age that is true"),
        pytest.param("AI_EXTENSIONS_RESOLUTION_MAX_AGE", "5", "greater than 0", id="an age in words"),
        pytest.param("AI_EXTENSIONS_MAX_RETRIES", -1, "0 or more", id="fewer than no retries"),
        pytest.param("AI_EXTENSIONS_MAX_INPUT_CHARS", 1.5, "a whole number", id="half a character"),
        pytest.param("AI_EXTENSIONS_MAX_CONTEXT_MESSAGES", 0, "1 or more", id="no messages"),
        pytest.param("AI_EXTENSIONS_MAX_TOOL_ROUNDS", -1, "0 or more", id="fewer than no rounds"),
        pytest.param("SERVICE_VARIANT", "desktop", "must be 'lms' or 'cms'", id="an unknown service"),
        pytest.param("OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS", "slot", "a list of texts", id="slots are a text"),
        pytest.param("AI_EXTENSIONS_STANDALONE_LIBRARIES", {"a": {}}, "must be a library key", id="no library key"),
    ],
)
def test_a_setting_we_cannot_use_is_the_only_thing_said(settings, name, value, words):
    setattr(settings, name, value)
    ((number, message),) = ours()
    assert number == "E001"
    assert message.startswith(f"{name} ")
    assert words in message


def test_a_backend_that_does_not_import(settings):
    settings.AI_EXTENSIONS_BACKEND = "no.such.Backend"
    ((number, message),) = ours()
    assert number == "E002"
    assert "No module named 'no'" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("{a: 1\n b: 2}", ["Line 2, column 2"], id="not JSON5"),
        pytest.param("[]", ["must be an object"], id="a list"),
        pytest.param(
            VALID.replace('"1.0"', '"9"').replace("stream: true", "stream: 1"),
            ["$.processor_config.LLMProcessor.stream: This must be true or false.", "$.schema_version: This must be"],
            id="two faults",
        ),
    ],
)
def test_a_template_that_is_not_valid(directory, content, words):
    (directory / "bad.json5").write_text(content)
    messages = ours()
    assert [number for number, _text in messages] == ["E003"] * len(words)
    for (_number, text), expected in zip(messages, words, strict=True):
        assert text.startswith("The template bad.json5 is not valid: ")
        assert expected in text


def test_a_directory_that_is_missing(directory, settings):
    settings.WORKFLOW_TEMPLATE_DIRS = [directory, directory / "gone"]
    assert ours() == [("W001", f"The template directory {directory / 'gone'} does not exist.")]


def test_a_template_that_never_loads(directory, settings, tmp_path_factory):
    second = tmp_path_factory.mktemp("second")
    (second / "own.json5").write_text(VALID)
    settings.WORKFLOW_TEMPLATE_DIRS = [directory, second]
    ((number, message),) = ours()
    assert number == "I002"
    assert str(second / "own.json5") in message


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("patch", "number", "words"),
    [
        pytest.param("{a: ", "E004", "content_patch: Line 1, column 5", id="a patch that is not JSON5"),
        pytest.param("{schema_version: null}", "E004", "$.schema_version: This is required.", id="a schema violation"),
        pytest.param("{orchestrator_class: 'Gone'}", "E004", "$.orchestrator_class", id="no such orchestrator"),
        pytest.param("{processor_config: {LLMProcessor: {prompt_template: 'gone'}}}", "E004",
                     "no prompt template", id="no such prompt"),
        pytest.param("{processor_config: {LLMProcessor: {provider: 'gone'}}}", "W002",
                     "no provider of that name. It has: default", id="a provider of another service"),
    ],
)  # fmt: skip
def test_a_profile_that_broke(patch, number, words):
    AIWorkflowProfile.objects.create(slug="fine", base_filepath="base/summary.json5")
    AIWorkflowProfile.objects.create(slug="broke", base_filepath="base/summary.json5")
    AIWorkflowProfile.objects.filter(slug="broke").update(content_patch=patch)
    ((found, message),) = ours(databases=["default"])
    assert found == number
    assert message.startswith("The AI workflow profile 'broke' has a problem. ")
    assert words in message
    assert ours() == [], "the database is asked only when a command asks for it"


@pytest.mark.django_db
def test_a_profile_whose_template_went(directory):
    AIWorkflowProfile.objects.create(slug="broke", base_filepath="own.json5")
    (directory / "own.json5").unlink()
    ((number, message),) = ours(databases=["default"])
    assert number == "E004"
    assert "No template directory has this file." in message


@pytest.mark.django_db
def test_profiles_in_order_hear_nothing():
    AIWorkflowProfile.objects.create(slug="fine", base_filepath="base/summary.json5")
    assert ours(databases=["default"]) == []


@pytest.mark.parametrize("name", [*DEFAULT_MODELS, "OpenAI"])
def test_a_provider_that_names_no_model_is_asked_for_one(settings, name):
    settings.AI_EXTENSIONS = {name: {"API_KEY": "k"}}
    ((number, text),) = ours()
    assert number == "I005"
    assert text == f"The provider '{name}' of AI_EXTENSIONS has no MODEL; it uses {DEFAULT_MODELS[name.lower()]}."
    assert find_provider("default").model == DEFAULT_MODELS[name.lower()]


@pytest.mark.parametrize(
    ("entry", "warns"),
    [
        pytest.param({"API_BASE": "https://llm.example.org/v1"}, True, id="an address of its own"),
        pytest.param({"API_BASE": "https://llm.example.org/v1", "PROCESSOR": "Uni"}, False, id="named"),
        pytest.param({"API_BASE": "https://llm.example.org/v1", "PROCESSORS": "Uni"}, None, id="misspelt"),
        pytest.param({"API_BASE": "https://api.openai.com/v1"}, False, id="the vendor's address"),
        pytest.param({"API_BASE": "https://llm.example.org/v1", "MOCK_RESPONSE": "Hi."}, False, id="a mock"),
    ],
)
def test_a_notice_cannot_say_who_processes_the_data(settings, entry, warns):
    settings.AI_EXTENSIONS = {"own": {"MODEL": "openai/x", **entry}}
    expected = ["W007", "W009"] if warns is None else ["W009"] * warns
    assert [number for number, _text in ours()] == expected


@pytest.mark.parametrize("entry", ["text", None, ["MODEL"]], ids=repr)
def test_what_is_no_entry_has_no_model(settings, entry):
    settings.AI_EXTENSIONS = {"openai": entry}
    assert [number for number, _text in ours()] == ["E001"]


@pytest.mark.parametrize("model", ["", None, 5, "open ai"], ids=repr)
def test_a_model_that_is_wrong_is_not_replaced(settings, model):
    settings.AI_EXTENSIONS = {"openai": {"MODEL": model}}
    assert [number for number, _text in ours()] == ["E001"]
    with pytest.raises(LLMConfigError):
        find_provider("openai")


@pytest.mark.parametrize("name", DEFAULT_MODELS)
@pytest.mark.usefixtures("_litellm")
def test_the_models_of_such_entries_have_a_price(name):
    assert Provider(name, DEFAULT_MODELS[name], {}).price is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVICE_VARIANT", []),
        ("AI_EXTENSIONS_COSTS", {"UNKNOWN_PRICE": {}}),
        ("AI_EXTENSIONS_LIMITS", [{"per": []}]),
        ("AI_EXTENSIONS_LIMITS", [{"per": "site", "period": {}}]),
        ("AI_EXTENSIONS_LIMITS", [{"per": "person", "period": "day", "tier": []}]),
        ("AI_EXTENSIONS_MCP_CONFIGS", {"far": {"URL": "http://127.0.0.1:9/", "TRANSPORT": []}}),
        ("AI_EXTENSIONS_LLM_CACHE", {"type": []}),
    ],
    ids=str,
)
def test_a_list_in_place_of_a_word(settings, name, value):
    """Lists and dictionaries cannot be members of a set: looking for one in a set is an error."""
    setattr(settings, name, value)
    ((number, message),) = ours()
    assert number == "E001"
    assert message.startswith(name)
