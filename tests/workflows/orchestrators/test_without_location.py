"""Workflows where there is no place in a course: a course home, Studio's outline, a dashboard."""

import re

import pytest

from openedx_ai_extensions.models import AIWorkflowScope
from tests.api.conftest import Api, error_of
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

# What the templates name, taken out.
NO_FUNCTION = {"processor_config": {"OpenEdXProcessor": {"function": None}}}
JSON = {"Accept": "application/json"}
COURSE_HOME = {"courseId": COURSE_ID, "uiSlotSelectorId": SLOT}
DASHBOARD = {"uiSlotSelectorId": SLOT}
UNIT = {**COURSE_HOME, "locationId": UNIT_ID}
PLACES = [
    pytest.param(UNIT, "Sunlight", id="a unit"),
    pytest.param(COURSE_HOME, "Course: ", id="a course home"),
    pytest.param(DASHBOARD, None, id="a dashboard"),
]


@pytest.fixture
def at(provider, make_scope, author):
    """Ask at a place, as the staff of the course; returns the answer, and what the model was told of the course."""

    def ask(template, place, patch=None, user_input=None, **call):
        make_scope(base_filepath=f"base/{template}.json5", patch=patch, course_id=None,
                   outside_courses=True, **call)  # fmt: skip
        provider.reply("ok")
        response = Api(author).run(user_input, context=place, headers=JSON)
        system = provider.requests[-1]["messages"][0]["content"] if provider.requests else ""
        found = re.search(r"<course_content>\n(.*)\n</course_content>", system, re.DOTALL)
        return response, found[1] if found else ""

    return ask


@pytest.mark.parametrize(("place", "told"), PLACES)
@pytest.mark.parametrize("template", ["chat", "summary", "custom_prompt", "greeting"])
def test_without_a_function_the_model_is_told_what_there_is(at, template, place, told):
    response, content = at(template, place, NO_FUNCTION, user_input="What is this about?")
    assert response.status_code == 200, response.content
    assert response.json()["response"] == "ok"
    assert told in content if told else not content


@pytest.mark.parametrize("service_variant", ["lms", "cms"])
def test_on_both_services(at, settings, service_variant):
    settings.SERVICE_VARIANT = service_variant
    response, content = at("chat", COURSE_HOME, NO_FUNCTION, service_variant=service_variant)
    assert (response.status_code, "Course: " in content) == (200, True)


@pytest.mark.parametrize("place", [COURSE_HOME, DASHBOARD], ids=["a course home", "a dashboard"])
@pytest.mark.parametrize("template", ["chat", "summary", "flashcards"])
def test_a_function_that_needs_a_place_says_so(at, provider, template, place):
    response, _content = at(template, place)
    assert error_of(response) == (400, "validation_error")
    assert "on a page of the course" in response.json()["error"]["message"]
    assert provider.requests == []


def test_a_function_that_needs_a_course_says_so(at, provider):
    patch = {"processor_config": {"OpenEdXProcessor": {"function": "get_course_outline"}}}
    response, _content = at("summary", DASHBOARD, patch)
    assert error_of(response) == (400, "validation_error")
    assert "only in a course" in response.json()["error"]["message"]
    assert provider.requests == []
    assert AIWorkflowScope.objects.count() == 1
