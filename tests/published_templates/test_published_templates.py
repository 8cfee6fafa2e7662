"""Templates in the shapes that are published for the public implementation: each is valid here, and runs over REST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.core.management import call_command

from openedx_ai_extensions.console.health import configuration
from openedx_ai_extensions.console.health.findings import HealthLevel
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.models import AIWorkflowProfile
from tests.conftest import UNIT_ID
from tests.fakes.steps import CallTools, Say, ToolCall
from tests.react.client import BOX, CARDS, CHAT, QUIZ, ReactPackage
from tests.react.test_templates import FLOWS
from tests.workflows.educator.conftest import library

__all__ = ["library"]

TEMPLATES = Path(__file__).with_name("templates")
BLANK, NOTHING = "base/blank.json", "base/nothing_yet.json5"
WHOLE = {
    "base/custom_prompt.json": BOX,
    "base/library_questions_creator.json": QUIZ,
    "examples/explain_like_five.json5": BOX,
    "experimental/chat_functions.json": CHAT,
    "experimental/flashcards.json": CARDS,
}
MOCKED = ("examples/mocked_response.json", "examples/mocked_stream_response.json", "experimental/mocked_questions.json")


@pytest.fixture(autouse=True)
def _directories(settings, provider):
    """The site's own directory comes before ours."""
    settings.WORKFLOW_TEMPLATE_DIRS = [TEMPLATES, conf.BUILT_IN_TEMPLATE_DIR]


def errors(path: str, patch: str | None = "") -> list[str]:
    profile = AIWorkflowProfile(slug="theirs", base_filepath=path, content_patch=patch)
    return [str(problem) for problem in profile.problems() if problem.severity is Severity.ERROR]


def test_each_is_known_here():
    files = {file.relative_to(TEMPLATES).as_posix() for file in TEMPLATES.rglob("*.json*")}
    assert files == {BLANK, NOTHING, *WHOLE, *MOCKED}


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*WHOLE, *MOCKED])
def test_it_is_valid(path):
    assert errors(path) == []


@pytest.mark.parametrize("path", WHOLE)
def test_it_works_in_the_react_package(path, make_scope, provider, author, library):
    make_scope(base_filepath=path)
    package = ReactPackage(author)
    names = package.mount().names
    assert names == WHOLE[path]
    FLOWS[names](package, provider)


@pytest.mark.parametrize("path", MOCKED)
def test_a_mock_answers_without_a_prompt_a_provider_or_a_function(path, make_scope, provider, learner):
    make_scope(base_filepath=path)
    package = ReactPackage(learner)
    assert package.mount().names == BOX
    assert "mock" in package.run("Why?")
    assert provider.requests == []


@pytest.mark.django_db(transaction=True)  # tools run in threads of their own
def test_a_chat_with_functions_calls_those_that_are_here(make_scope, provider, learner):
    make_scope(base_filepath="experimental/chat_functions.json")
    provider.then(CallTools(ToolCall("roll_dice", {})), Say("You have a five."))
    assert ReactPackage(learner).run("Roll!") == "You have a five."
    assert [tool["function"]["name"] for tool in provider.requests[0]["tools"]] == ["roll_dice"]


PROMPT = "processor_config: {LLMProcessor: {provider: 'default', prompt: 'Be short.'}}"
SHOWN = (
    "actuator_config: {UIComponents: {request: {component: 'AIRequestComponent'}, "
    "response: {component: 'AIResponseComponent'}}}"
)
REST = f"orchestrator_class: 'DirectLLMResponse', {PROMPT}, {SHOWN}"


@pytest.mark.parametrize(
    ("path", "patch"),
    [(BLANK, f"{{{REST}}}"), (NOTHING, f"{{schema_version: '1.0', {REST}}}")],
    ids=["a skeleton", "an empty file"],
)
def test_a_base_that_a_profile_completes(path, patch, make_scope, provider, learner):
    make_scope(base_filepath=path, patch=patch)
    provider.reply("Leaves.")
    package = ReactPackage(learner)
    assert package.mount().names == BOX
    assert package.run() == "Leaves."
    system = provider.requests[0]["messages"][0]["content"]
    assert system.startswith("Be short.")
    assert ("Sunlight, water and air" in system) == (path == BLANK)


def test_a_mock_completes_a_base_without_a_provider(make_scope, provider, learner):
    make_scope(base_filepath=BLANK, patch=f"{{orchestrator_class: 'MockResponse', {SHOWN}}}")
    package = ReactPackage(learner)
    assert package.mount().names == BOX
    assert package.run()
    assert provider.requests == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("patch", "missing"),
    [
        (None, "$.orchestrator_class"),
        ("", "$.orchestrator_class"),
        (f"{{{PROMPT}, {SHOWN}}}", "$.orchestrator_class"),
        (f"{{orchestrator_class: 'DirectLLMResponse', {SHOWN}}}", "$.processor_config.LLMProcessor.provider"),
        (f"{{orchestrator_class: 'DirectLLMResponse', {PROMPT}}}", "$.actuator_config.UIComponents"),
    ],
    ids=["no patch", "an empty patch", "no orchestrator", "no provider", "no components"],
)
def test_a_base_that_a_profile_does_not_complete(patch, missing):
    with pytest.raises(ValidationError) as caught:
        AIWorkflowProfile.objects.create(slug="theirs", base_filepath=BLANK, content_patch=patch)
    assert missing in str(caught.value)


def test_what_a_base_leaves_open_is_a_hint():
    said = [message for message in run_checks(tags=["ai_extensions"]) if message.id != "openedx_ai_extensions.I002"]
    assert [(message.id, message.msg.partition(" is ")[0]) for message in said] == [
        ("openedx_ai_extensions.I004", f"The template {BLANK}"),
        ("openedx_ai_extensions.I004", f"The template {NOTHING}"),
    ]
    assert "$.actuator_config.UIComponents, $.orchestrator_class" in said[0].msg


@pytest.mark.django_db
def test_no_report_calls_it_broken(capsys):
    levels = {finding.level for finding in configuration.templates() if finding.subject in (BLANK, NOTHING)}
    assert levels == {HealthLevel.NOTE}
    call_command("ai_check")
    assert "errors: 0" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["{orchestrator_class: 5}", "{processor_config: []}", "{schema_version: '2'}"])
def test_what_no_profile_should_have_to_mend_is_an_error(content, settings, tmp_path):
    (tmp_path / "wrong.json").write_text(content)
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path]
    assert "openedx_ai_extensions.E003" in [message.id for message in run_checks(tags=["ai_extensions"])]


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["model", "api_key"])
@pytest.mark.parametrize("path", ["base/custom_prompt.json", "examples/mocked_response.json"])
def test_a_model_and_a_key_do_not_live_in_a_profile(path, option):
    patch = f"{{processor_config: {{LLMProcessor: {{options: {{{option}: 'x'}}}}}}}}"
    (error,) = errors(path, patch)
    assert f"options.{option}: " in error
    assert "AI_EXTENSIONS" in error


@pytest.mark.parametrize("name", ["elsewhere.DirectLLMResponse", "openedx_ai_extensionsx.DirectLLMResponse"])
@pytest.mark.django_db
def test_the_name_of_one_of_ours_in_another_package_is_another(name):
    (error,) = errors("base/custom_prompt.json", f"{{orchestrator_class: '{name}'}}")
    assert error.startswith("$.orchestrator_class")


@pytest.mark.parametrize("patch", [None, "", " \n"], ids=repr)
def test_a_patch_that_is_none_is_no_patch(patch, make_scope, learner, provider):
    profile: Any = make_scope(base_filepath="base/custom_prompt.json").profile
    before = profile.config
    profile.content_patch = patch
    assert profile.content_patch_dict == {}
    assert profile.is_usable
    profile.save()
    profile.refresh_from_db()
    assert profile.config == before
    assert ReactPackage(learner, locationId=UNIT_ID).run()
