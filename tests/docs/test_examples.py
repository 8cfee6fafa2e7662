"""The examples in the documentation do what the documentation says."""

import json
import re
import runpy
import sys
from textwrap import dedent
from urllib.parse import urlencode

import pytest
from django.conf import settings as site
from django.core.checks import INFO
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions.console import checks
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.filters import AIRunRequested
from openedx_ai_extensions.ledger.signals import limit_reached
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowSession
from openedx_ai_extensions.moderation import base as moderators
from openedx_ai_extensions.processors.llm.provider import providers
from openedx_ai_extensions.tools import registry
from tests.conftest import COURSE_ID, SECRET, SLOT, UNIT_ID, from_learner
from tests.fakes.steps import CallTools, Say, ToolCall

OTHER_UNIT_ID = UNIT_ID.replace("unit_sunlight", "unit_chlorophyll")

EXAMPLES = site.REPO / "docs" / "examples"
QUICKSTART = (site.REPO / "docs" / "quickstart.rst").read_text(encoding="utf-8")
PATCHES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((EXAMPLES / "patches").glob("*.json5"))} | {
    "quickstart": dedent(re.search(r"code-block:: javascript\n\n((?: {5}.*\n|\n)+)", QUICKSTART)[1])
}


@pytest.fixture
def installed(provider, settings, monkeypatch):
    """The glossary extension, installed; what it registers is gone afterwards."""
    monkeypatch.setattr(registry, "_tools", dict(registry._tools))
    # Not replaced by a copy: extensions import the dictionary itself.
    monkeypatch.setitem(providers.CAPABILITIES, "openrouter", providers.DEFAULT_CAPABILITIES)
    monkeypatch.setattr(moderators, "_kinds", dict(moderators._kinds))
    monkeypatch.setattr(limit_reached, "receivers", [])
    for module in [name for name in sys.modules if name.partition(".")[0] in {"coach", "glossary"}]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.syspath_prepend(EXAMPLES)
    theirs = [EXAMPLES / name / "workflow_templates" for name in ("glossary", "coach")]
    settings.WORKFLOW_TEMPLATE_DIRS = [*theirs, conf.BUILT_IN_TEMPLATE_DIR]
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "glossary"]


@pytest.fixture
def glossary(installed, make_scope):
    """The extension's workflow that defines terms, with a scope."""
    return make_scope(base_filepath="glossary/define.json5")


@pytest.fixture
def personal(installed, make_scope):
    """The extension's workflow that keeps them, with a scope."""
    return make_scope(base_filepath="glossary/personal.json5")


@pytest.fixture
def coach(installed, make_scope):
    """The short extension, with a scope."""
    return make_scope(base_filepath="coach/advise.json5")


@pytest.fixture
def act(learner):
    """Asks for an action over REST, as a widget does."""
    client = Client()
    client.force_login(learner)

    def post(action, user_input="", location=UNIT_ID):
        context = {"courseId": COURSE_ID, "locationId": location, "uiSlotSelectorId": SLOT}
        url = f"{reverse('openedx_ai_extensions:api:v1:aiext_workflows')}?{urlencode({'context': json.dumps(context)})}"
        return client.post(url, {"action": action, "user_input": user_input}, content_type="application/json")

    return post


def test_the_short_extension_answers_and_counts(coach, provider, act):
    provider.reply("Water it.")
    answer = act("run", "What now?")
    assert answer.json() == {"response": "Water it.", "status": "completed", "unit": "Sunlight, water and air"}
    (request,) = provider.requests
    assert request["temperature"] == 0.2
    system, learner_says = request["messages"]
    assert system["content"].startswith("You coach gardeners.")
    assert "<course_content>" in system["content"]
    assert learner_says == from_learner("What now?")
    act("run", "And now?")
    assert AIWorkflowSession.objects.get().metadata == {"asked": 2}


def test_the_extension_asks_the_model_with_its_own_prompt(glossary, provider, act):
    provider.reply("A green pigment.")

    answer = act("run", "chlorophyll")

    assert (answer.status_code, answer.json()["response"]) == (200, "A green pigment.")
    (request,) = provider.requests
    system, learner_says = request["messages"]
    assert "Define it for a first-year student" in system["content"]
    assert "<course_content>" in system["content"]
    assert learner_says == from_learner("chlorophyll")


def test_the_extension_publishes_an_action_that_needs_no_model(glossary, provider, act):
    answer = act("propose_terms")

    assert "chloroplasts" in answer.json()["response"]
    assert provider.requests == []


def test_what_the_extension_does_not_mark_is_no_action(glossary, act):
    assert act("course_content").json()["error"]["code"] == "unknown_action"


def test_the_orchestrator_that_remembers_does(personal, provider, act):
    provider.reply("A green pigment.")
    assert act("get_current_session_response").json()["response"] is None
    assert act("run", "chlorophyll").json()["response"] == "A green pigment."
    provider.reply("Light from the sun.")
    act("run", "sunlight", location=OTHER_UNIT_ID)

    kept = {"chlorophyll": "A green pigment.", "sunlight": "Light from the sun."}
    for location in (UNIT_ID, OTHER_UNIT_ID):
        assert act("get_current_session_response", location=location).json()["response"] == kept
    assert act("clear_session").json() == {"response": "", "status": "session_cleared"}
    assert act("get_current_session_response").json()["response"] is None
    assert act("run", "").json()["error"]["code"] == "validation_error"


def tool_result(request):
    (result,) = [message["content"] for message in request["messages"] if message["role"] == "tool"]
    return json.loads(result.removeprefix("<tool_result>\n").removesuffix("\n</tool_result>"))


def test_the_tool_is_offered_and_called(personal, provider, act):
    provider.then(CallTools(ToolCall("sentences_with", {"term": "Chloroplasts"})), Say("Small green bodies."))

    assert act("run", "chloroplast").json()["response"] == "Small green bodies."

    first, second = provider.requests
    (offered,) = [tool["function"] for tool in first["tools"]]
    assert offered["description"].startswith("Find the sentences of this lesson")
    assert offered["parameters"] == {
        "type": "object",
        "properties": {"term": {"type": "string", "description": "A word or a short phrase."}},
        "required": ["term"],
        "additionalProperties": False,
    }
    found = tool_result(second)
    assert found
    assert all("chloroplasts" in sentence.lower() for sentence in found)


def test_the_tool_serves_built_in_workflows_too(installed, make_scope, provider, act):
    patch = {"processor_config": {"LLMProcessor": {"enabled_tools": ["sentences_with"]}}}
    assert make_scope(base_filepath="base/chat.json5", patch=patch).profile.problems() == []
    provider.then(CallTools(ToolCall("sentences_with", {"term": "chloroplasts"})), Say("Small green bodies."))

    answer = b"".join(act("run", "What are chloroplasts?").streaming_content)

    assert answer == b"Small green bodies."
    assert tool_result(provider.requests[1])


def test_the_capability_record_changes_what_is_sent(glossary, provider, act, settings):
    settings.AI_EXTENSIONS = {
        "default": {"MODEL": "openrouter/anthropic/claude-fake", "API_KEY": SECRET, "API_BASE": provider.base_url},
    }

    assert act("run", "chlorophyll").status_code == 200

    (marked,) = provider.requests[0]["messages"][0]["content"]
    assert marked["cache_control"] == {"type": "ephemeral"}


def test_the_moderator_refuses_and_says_why(glossary, provider, act, settings):
    settings.AI_EXTENSIONS_MODERATION = {"MODERATORS": {"addresses": {"KIND": "no_addresses"}}, "BEFORE": ["addresses"]}
    assert checks.check_settings() == []

    error = act("run", "amina@example.com").json()["error"]

    assert (error["code"], error["reason"]) == ("permission_denied", "moderation")
    assert error["message"] == "Please leave out e-mail addresses."
    assert provider.requests == []
    assert act("run", "chlorophyll").status_code == 200


def test_the_filter_step_changes_what_the_model_gets(glossary, provider, act, settings):
    settings.OPEN_EDX_FILTERS_CONFIG = {
        AIRunRequested.filter_type: {"fail_silently": False, "pipeline": ["glossary.steps.HideNumbers"]}
    }

    assert act("run", "My number is 5551234.").status_code == 200

    assert provider.requests[0]["messages"][-1] == from_learner("My number is [number].")


def test_the_receiver_hears_of_a_limit(glossary, provider, act, settings, mailoutbox):
    settings.ADMINS = [("Admin", "admin@example.com")]
    settings.AI_EXTENSIONS_LIMITS = [{"per": "course", "period": "month", "requests": 1}]

    assert act("run", "chlorophyll").status_code == 200

    assert [mail.subject.partition("AI: ")[2] for mail in mailoutbox] == [
        f"{percent} % of the requests for {COURSE_ID}" for percent in (80, 100)
    ]


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_from_the_guides_makes_a_valid_profile(name, provider, settings, db):
    settings.AI_EXTENSIONS = {**settings.AI_EXTENSIONS, "claude": settings.AI_EXTENSIONS["default"]}
    settings.AI_EXTENSIONS_MODERATORS = {"words": {"KIND": "words", "WORDS": ["darn"]}}
    base = "base/chat.json5" if name in {"tutor", "greeting"} else "base/custom_prompt.json5"
    profile = AIWorkflowProfile(slug="mine", base_filepath=base, content_patch=PATCHES[name])
    profile.full_clean()
    assert profile.problems() == []


def test_a_removed_processor_is_gone(make_scope, provider):
    assert set(make_scope(patch=PATCHES["without_content"]).profile.processor_config) == {"LLMProcessor"}


@pytest.mark.parametrize("path", sorted((EXAMPLES / "site").glob("*.py")), ids=lambda path: path.stem)
def test_the_operators_settings_are_settings_of_ours_and_acceptable(path, settings):
    module = runpy.run_path(path)
    written = {name: value for name, value in module.items() if name in {*conf.SETTINGS, *conf.DICTIONARIES}}
    assert set(written) == {name for name in module if name.isupper()} - {"BUILT_IN_TEMPLATE_DIR"}
    for name, value in written.items():
        setattr(settings, name, value)
    assert [message for message in checks.check_settings() if message.level > INFO] == []
