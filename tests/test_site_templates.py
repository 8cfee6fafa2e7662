"""Every workflow template that ships, built in or to adopt, is valid and answers over REST."""

import json
from urllib.parse import urlencode

import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.template_utils import discover_templates, load_template, validate_workflow_config
from tests.conftest import COURSE_ID, SECRET, SLOT, UNIT_ID

SITE_TEMPLATES = site.REPO / "templates"
DIRECTORIES = (SITE_TEMPLATES, conf.BUILT_IN_TEMPLATE_DIR)
PATHS = sorted(
    path.relative_to(directory).as_posix() for directory in DIRECTORIES for path in directory.rglob("*.json*")
)
# Their answers are questions and cards, which tests of their own look at.
TALKING = [path for path in PATHS if path not in {"base/flashcards.json5", "base/quiz.json5"}]
ANSWER = ["Plants ", "make sugar ", "from light."]


@pytest.fixture(autouse=True)
def _both_directories(settings):
    settings.WORKFLOW_TEMPLATE_DIRS = list(DIRECTORIES)


@pytest.fixture
def providers(provider, settings):
    """Every provider that a template names, all played by one server."""
    settings.AI_EXTENSIONS = {
        name: {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": provider.base_url}
        for name in ("default", "openai", "anthropic", "local")
    }
    provider.reply(ANSWER)
    return provider


def test_the_picker_offers_all_of_them():
    assert sorted(path for path, _name in discover_templates()) == PATHS
    assert {path.split("/")[0] for path in PATHS} >= {"openai", "anthropic", "local", "study", "base"}


@pytest.mark.parametrize("path", PATHS)
def test_it_is_valid(path):
    assert validate_workflow_config(load_template(path)) == (True, [])


@pytest.mark.parametrize("path", PATHS)
def test_it_asks_for_nothing_that_the_site_lacks(path, providers, db):
    assert AIWorkflowProfile(slug="mine", base_filepath=path, content_patch="").problems() == []


@pytest.mark.parametrize("path", TALKING)
def test_it_answers_a_learner(path, providers, make_scope, learner):
    scope = make_scope(base_filepath=path)
    client = Client()
    client.force_login(learner)
    context = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": SLOT}
    url = f"{reverse('openedx_ai_extensions:api:v1:aiext_workflows')}?{urlencode({'context': json.dumps(context)})}"

    answer = client.post(url, {"action": "run", "user_input": "Why is it so?"}, content_type="application/json")

    assert answer.status_code == 200
    body = answer.getvalue().decode() if answer.streaming else answer.json()["response"]
    if scope.profile.orchestrator_class.startswith("Mock"):
        assert body.strip()
        assert providers.requests == []
    else:
        assert body == "".join(ANSWER)
        assert len(providers.requests) == 1


@pytest.mark.parametrize("path", [path for path in PATHS if (SITE_TEMPLATES / path).exists()])
def test_a_template_to_adopt_teaches_in_its_first_line(path):
    assert (SITE_TEMPLATES / path).read_text("utf-8").startswith("// ")
