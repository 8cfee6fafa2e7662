"""People whose account is not active: the platform lets them log in; they may do nothing here."""

import pytest
from django.contrib.auth import get_user_model

from openedx_ai_extensions.models import PromptTemplate
from tests.api.conftest import Api, error_of
from tests.conftest import COURSE_ID, SLOT

COURSE = {"courseId": COURSE_ID}
ANYWHERE = {"uiSlotSelectorId": SLOT}


@pytest.fixture
def inactive(people, make_scope, settings):
    """Log somebody in as the platform does, with an account that is not active."""
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    PromptTemplate.objects.create(slug="tutor", body="You are a tutor.")
    config = {"LLMProcessor": {"prompt_template": "tutor"}, "OpenEdXProcessor": None}
    make_scope(patch={"processor_config": config})
    make_scope(slug="anywhere", patch={"processor_config": config}, course_id=None)

    def login(name):
        get_user_model().objects.filter(username=name).update(is_active=False)
        people[name].refresh_from_db()
        return Api(people[name])

    return login


@pytest.mark.parametrize("person", ["learner", "author", "admin"])
@pytest.mark.parametrize("context", [COURSE | ANYWHERE, ANYWHERE], ids=["in a course", "outside of courses"])
def test_widgets_render_and_run_nothing(inactive, provider, person, context):
    api = inactive(person)
    assert api.profile(context).json()["status"] == "no_config"
    assert error_of(api.run(context=context)) == (403, "permission_denied")
    assert provider.requests == []


@pytest.mark.parametrize("person", ["author", "admin"])
@pytest.mark.parametrize(
    ("endpoint", "arguments"),
    [("profiles", ()), ("prompt", ("tutor",)), ("patch_prompt", ("tutor", {"body": "Be rude."}))],
    ids=["profiles", "read a prompt", "change a prompt"],
)
def test_staff_endpoints_are_closed(inactive, person, endpoint, arguments):
    response = getattr(inactive(person), endpoint)(*arguments, context=COURSE)
    assert error_of(response) == (403, "permission_denied")
    assert PromptTemplate.objects.get().body == "You are a tutor."
