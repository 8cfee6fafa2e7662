"""The examples in the documentation do what the documentation says."""

import json
import re
import runpy
from textwrap import dedent
from urllib.parse import urlencode

import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions import conf
from openedx_ai_extensions.models import AIWorkflowProfile
from tests.conftest import COURSE_ID, SLOT, UNIT_ID, from_learner

EXAMPLES = site.REPO / "docs" / "examples"
QUICKSTART = (site.REPO / "docs" / "quickstart.rst").read_text(encoding="utf-8")
PATCHES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((EXAMPLES / "patches").glob("*.json5"))} | {
    "quickstart": dedent(re.search(r"code-block:: javascript\n\n((?: {5}.*\n|\n)+)", QUICKSTART)[1])
}


@pytest.fixture
def glossary(provider, make_scope, settings, monkeypatch):
    """The glossary extension, installed and given a scope."""
    monkeypatch.syspath_prepend(EXAMPLES)
    settings.WORKFLOW_TEMPLATE_DIRS = [EXAMPLES / "glossary" / "workflow_templates", conf.BUILT_IN_TEMPLATE_DIR]
    return make_scope(base_filepath="glossary/define.json5")


@pytest.fixture
def act(learner):
    """Asks for an action over REST, as a widget does."""
    client = Client()
    client.force_login(learner)
    context = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": SLOT}
    url = f"{reverse('openedx_ai_extensions:api:v1:aiext_workflows')}?{urlencode({'context': json.dumps(context)})}"

    def post(action, user_input=""):
        return client.post(url, {"action": action, "user_input": user_input}, content_type="application/json")

    return post


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


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_a_patch_from_the_guides_makes_a_valid_profile(patch, provider, db):
    profile = AIWorkflowProfile(slug="mine", base_filepath="base/custom_prompt.json5", content_patch=patch)
    profile.full_clean()
    assert profile.problems() == []


def test_a_removed_processor_is_gone(make_scope, provider):
    assert set(make_scope(patch=PATCHES["without_content"]).profile.processor_config) == {"LLMProcessor"}


def test_the_operators_settings_are_settings_of_ours_and_acceptable():
    module = runpy.run_path(EXAMPLES / "site" / "settings.py")
    written = {name: value for name, value in module.items() if name in conf.SETTINGS}
    assert set(written) == {name for name in module if name.isupper()} - {"BUILT_IN_TEMPLATE_DIR"}
    assert {name: conf.SETTINGS[name].problem(value) for name, value in written.items()} == dict.fromkeys(written)
