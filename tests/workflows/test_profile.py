"""A profile that cannot be built is refused at save; one that broke later says so and stays harmless."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate

SUMMARY = "base/summary.json5"


def llm(values):
    return f"{{processor_config: {{LLMProcessor: {values}}}}}"


def make(patch="", base_filepath=SUMMARY, **fields):
    return AIWorkflowProfile.objects.create(slug="p", base_filepath=base_filepath, content_patch=patch, **fields)


@pytest.fixture
def own_template(tmp_path, settings):
    """A valid template that a test may break."""
    path = tmp_path / "own.json5"
    path.write_text((conf.BUILT_IN_TEMPLATE_DIR / SUMMARY).read_text(encoding="utf-8"))
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path]
    return path


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        pytest.param({"base_filepath": "no/such.json5"}, "base_filepath", "No template directory has this file.",
                     id="an unknown template"),
        pytest.param({"base_filepath": "../../conf.json5"}, "base_filepath", "not a path to a template",
                     id="a path that climbs out"),
        pytest.param({"base_filepath": "é" * 200 + ".json5"}, "base_filepath", "No template directory",
                     id="a name too long for the file system"),
        pytest.param({"base_filepath": ""}, "base_filepath", "cannot be blank", id="no template"),
        pytest.param({"content_patch": "{a: 1\n  b: 2}"}, "content_patch", 'Line 2, column 3: Unexpected "b"',
                     id="a patch that is not JSON5"),
        pytest.param({"content_patch": "[1]"}, "content_patch", "must be an object", id="a patch that is a list"),
        pytest.param({"content_patch": "{a: 1, a: 2}"}, "content_patch", "This key appears twice", id="a key twice"),
        pytest.param({"content_patch": "{schema_version: '9'}"}, "content_patch", "$.schema_version: This must be one",
                     id="an invalid configuration"),
        pytest.param({"content_patch": "{actuator_config: null}"}, "content_patch",
                     "$.actuator_config: This is required", id="a patch that removes what is needed"),
        pytest.param({"content_patch": llm("{function: 'run_away'}")}, "content_patch",
                     "$.processor_config.LLMProcessor.function: There is no such function. Use one of:",
                     id="an unknown function"),
        pytest.param({"content_patch": llm("{function: '__init__'}")}, "content_patch", "no such function",
                     id="a function that is not published"),
        pytest.param({"content_patch": "{processor_config: {OpenEdXProcessor: {function: 'x'}}}"}, "content_patch",
                     "$.processor_config.OpenEdXProcessor.function", id="an unknown content function"),
        pytest.param({"content_patch": llm("{options: {api_key: 'k'}}")}, "content_patch",
                     "$.processor_config.LLMProcessor.options.api_key: A profile cannot set this",
                     id="an option that is the site's"),
        pytest.param({"content_patch": llm("{options: {API_Base: 'http://evil'}}")}, "content_patch",
                     "options.API_Base", id="an option that is the site's, in other letters"),
        pytest.param({"content_patch": llm("{prompt_template: 'no-such'}")}, "content_patch",
                     "no prompt template with this slug or UUID", id="an unknown prompt template"),
        pytest.param({"content_patch": llm("{function: 'call_with_custom_prompt'}")}, "content_patch",
                     "LLMProcessor.prompt: This function needs a prompt", id="a custom prompt that is missing"),
        pytest.param({"content_patch": llm("{function: null}")}, "content_patch", "needs a prompt",
                     id="the default function without a prompt"),
        pytest.param({"slug": "not a slug"}, "slug", "valid", id="a slug with spaces"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(values, field, words):
    with pytest.raises(ValidationError) as caught:
        AIWorkflowProfile.objects.create(**{"slug": "p", "base_filepath": SUMMARY, **values})
    assert list(caught.value.message_dict) == [field]
    assert words in "\n".join(caught.value.message_dict[field])
    assert not AIWorkflowProfile.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(lambda bad, _good: AIWorkflowProfile.objects.bulk_create([bad]), id="bulk_create"),
        pytest.param(
            lambda bad, good: AIWorkflowProfile.objects.bulk_update([good, bad], ["content_patch"]), id="bulk_update"
        ),
        pytest.param(lambda bad, _good: bad.save(update_fields=["content_patch"]), id="save of some fields"),
    ],
)
def test_every_way_to_write_refuses(refused):
    good = make()
    bad = AIWorkflowProfile(slug="bad", base_filepath=SUMMARY, content_patch="{")
    with pytest.raises(ValidationError, match="Unexpected end of input"):
        refused(bad, good)
    assert AIWorkflowProfile.objects.get().content_patch == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "patch",
    [
        pytest.param("", id="no patch"),
        pytest.param(" \n", id="blank patch"),
        pytest.param("{}", id="empty patch"),
        pytest.param("// words\n{x_own: 1,}", id="unknown key"),
        pytest.param(llm("{prompt: 'Be kind.', function: 'call_with_custom_prompt'}"), id="a prompt of its own"),
        pytest.param(llm("{prompt_template: 'kind', function: null}"), id="a prompt template"),
        pytest.param(llm("{options: {temperature: 0.2}}"), id="an option that is the profile's"),
    ],
)
def test_what_can_be_built_is_saved(patch):
    PromptTemplate.objects.create(slug="kind", body="Be kind.")
    profile = make(patch)
    assert profile.is_usable
    assert profile.validate() == (True, [])


@pytest.mark.django_db
def test_a_warning_does_not_refuse(settings):
    settings.AI_EXTENSIONS = {"main": {"MODEL": "openai/x"}}
    profile = make(llm("{provider: 'other'}"))
    assert [(problem.severity, problem.path) for problem in profile.problems()] == [
        ("warning", "$.processor_config.LLMProcessor.provider")
    ]
    assert "It has: main" in str(profile.problems()[0])
    assert profile.validate() == (True, [])
    assert profile.is_usable


@pytest.mark.django_db
def test_the_parts_of_the_effective_configuration():
    profile = make(
        "{orchestrator_class: 'MockResponse', processor_config: {OpenEdXProcessor: null, LLMProcessor: {stream: false}}"
        ", actuator_config: {UIComponents: {request: {config: {buttonText: 'Go'}}}}}"
    )
    assert profile.get_config() == profile.config
    assert profile.orchestrator_class == profile.config["orchestrator_class"] == "MockResponse"
    assert profile.processor_config == {
        "LLMProcessor": {"function": "summarize_content", "provider": "default", "stream": False}
    }
    components = profile.get_ui_components()
    assert components["request"]["component"] == "AIRequestComponent"
    assert components["request"]["config"]["buttonText"] == "Go"
    assert set(components) == {"request", "response"}


@pytest.mark.django_db
def test_what_one_instance_does_to_its_configuration_no_other_sees():
    profile = make()
    profile.config["processor_config"]["LLMProcessor"]["provider"] = "stolen"
    assert AIWorkflowProfile.objects.get().processor_config["LLMProcessor"]["provider"] == "default"


@pytest.mark.django_db
def test_a_save_forgets_the_cached_configuration():
    profile = make()
    assert profile.orchestrator_class == "DirectLLMResponse"
    profile.content_patch = "{orchestrator_class: 'MockResponse'}"
    profile.save()
    assert profile.orchestrator_class == "MockResponse"


@pytest.mark.parametrize(
    ("patch", "parsed"),
    [
        pytest.param("{a: 1}", {"a": 1}, id="an object"),
        pytest.param("", {}, id="nothing"),
        pytest.param("  ", {}, id="blanks"),
        pytest.param("{a: ", {}, id="not JSON5"),
        pytest.param("[1]", {}, id="a list"),
        pytest.param("null", {}, id="null"),
    ],
)
def test_reading_the_patch_is_lenient(patch, parsed):
    assert AIWorkflowProfile(content_patch=patch).content_patch_dict == parsed


def break_file(path):
    path.write_text("{broken")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(lambda path: path.unlink(), "No template directory has this file.", id="removed"),
        pytest.param(break_file, "Line 1, column 8: Unexpected end of input", id="no longer JSON5"),
        pytest.param(lambda path: path.write_bytes(b"\xff"), "UTF-8", id="no longer text"),
    ],
)
def test_a_template_that_broke_leaves_a_profile_that_says_so(own_template, damage, words):
    make(base_filepath="own.json5")
    damage(own_template)
    profile = AIWorkflowProfile.objects.get()
    assert not profile.is_usable
    assert profile.config == profile.get_config() == {}
    assert (profile.get_ui_components(), profile.processor_config, profile.orchestrator_class) == ({}, {}, None)
    valid, messages = profile.validate()
    assert not valid
    assert words in messages[0]


@pytest.mark.django_db
def test_a_template_that_no_longer_follows_the_schema(own_template):
    make(base_filepath="own.json5")
    own_template.write_text("{schema_version: '1.0', actuator_config: [], processor_config: 3}")
    profile = AIWorkflowProfile.objects.get()
    assert not profile.is_usable
    assert (profile.get_ui_components(), profile.processor_config, profile.orchestrator_class) == ({}, {}, None)
    assert [message.partition(":")[0] for message in profile.validate()[1]] == [
        "$.orchestrator_class", "$.actuator_config", "$.processor_config",
    ]  # fmt: skip


def by_update(text):
    AIWorkflowProfile.objects.update(content_patch=text)


def by_sql(text):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {AIWorkflowProfile._meta.db_table} SET content_patch = %s", [text])


@pytest.mark.django_db
@pytest.mark.parametrize("write", [by_update, by_sql], ids=["queryset.update", "SQL"])
def test_a_patch_that_broke_leaves_a_profile_that_says_so(write):
    make("{orchestrator_class: 'MockResponse'}")
    write("{orchestrator_class: 'MockResponse'")
    profile = AIWorkflowProfile.objects.get()
    assert not profile.is_usable
    assert profile.validate() == (False, ["content_patch: Line 1, column 36: Unexpected end of input"])
    assert profile.content_patch_dict == {}
    assert profile.orchestrator_class == "DirectLLMResponse", "read leniently"
