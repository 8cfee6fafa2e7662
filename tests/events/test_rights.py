"""An event gets what REST would give the person that it speaks for; refusals cost nothing.

What is in a course and closed to some is in ``tests/rights``.
"""

from __future__ import annotations

import pytest

from tests.api.conftest import Api
from tests.conftest import COURSE_ID, SLOT, UNIT_ID
from tests.events.conftest import OTHER_COURSE, request_for
from tests.tools.conftest import key

pytestmark = pytest.mark.usefixtures("consuming", "two_courses")

OPEN = key("vertical/u1", OTHER_COURSE)
NO, BAD, NONE, DONE = "permission_denied", "validation_error", "workflow_not_found", "completed"

# What a workflow may be asked anywhere.
WITHOUT_CONTENT = {"processor_config": {"OpenEdXProcessor": {"function": "no_context"}}}

PLACES = [
    pytest.param(COURSE_ID, UNIT_ID, [DONE, NO, DONE, DONE, NO], id="a unit of a course"),
    pytest.param(COURSE_ID, "", [DONE, NO, DONE, DONE, NO], id="the course itself"),
    pytest.param("", UNIT_ID, [DONE, NO, DONE, DONE, NO], id="a unit, whose course it tells itself"),
    pytest.param(OTHER_COURSE, OPEN, [NO, DONE, DONE, DONE, NO], id="a unit of another course"),
    pytest.param(OTHER_COURSE, "", [NO, DONE, DONE, DONE, NO], id="another course"),
    pytest.param(COURSE_ID, OPEN, [BAD] * 5, id="a unit that is not in the course"),
    pytest.param(COURSE_ID, key("vertical/nowhere"), [NO] * 5, id="a unit that there is not"),
    pytest.param("course-v1:No+Such+course", "", [NO] * 5, id="a course that there is not"),
    pytest.param("rubbish", "", [BAD] * 5, id="no course key"),
    pytest.param(COURSE_ID, "rubbish", [BAD] * 5, id="no usage key"),
    pytest.param("", "lb:Org:Lib:html:one", [BAD] * 5, id="a block of a library"),
    pytest.param("", "i4x://OpenedX/AIX/vertical/unit_sunlight", [BAD] * 5, id="a key that tells no run"),
    pytest.param("", "", [NONE, NONE, NONE, NONE, NO], id="outside of courses"),
]


@pytest.fixture
def everybody(learner, stranger, author, admin_user, django_user_model):
    inactive = django_user_model.objects.create_user("gone", "gone@example.com", "gone", is_active=False)
    return [learner, stranger, author, admin_user, inactive]


@pytest.mark.parametrize(("course_id", "location_id", "expected"), PLACES)
def test_an_event_gets_what_rest_gives(everybody, provider, make_scope, outcome, course_id, location_id, expected):
    make_scope(course_id=None, patch=WITHOUT_CONTENT)
    context = {"courseId": course_id, "locationId": location_id, "uiSlotSelectorId": SLOT}
    found = [outcome(request_for(user, course_id=course_id, location_id=location_id)) for user in everybody]
    assert found == expected
    assert len(provider.requests) == expected.count(DONE)
    # Nobody who is inactive gets as far as a session in this test site.
    by_rest = [_code(Api(user).run("Why?", context=context)) for user in everybody[:-1]]
    assert by_rest == expected[:-1]


def _code(response) -> str:
    if response.status_code == 200:
        b"".join(response.streaming_content)
        return DONE
    return response.json()["error"]["code"]


def test_inactive_staff_are_refused(author, provider, make_scope, outcome):
    make_scope()
    author.is_active = False
    author.save()
    assert outcome(request_for(author)) == NO
    assert not provider.requests


@pytest.mark.parametrize("user_id", [0, -1, 10**6, 2**63 - 1])
def test_nobody_is_refused(learner, provider, make_scope, outcome, user_id):
    make_scope()
    assert outcome(request_for(learner, user_id=user_id)) == NO
    assert not provider.requests


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"slot": "elsewhere"}, id="another slot"),
        pytest.param({"enabled": False}, id="switched off"),
        pytest.param({"service_variant": "cms"}, id="another service"),
        pytest.param({"course_id": OTHER_COURSE}, id="another course"),
        pytest.param({"location_regex": "unit_sugar"}, id="another location"),
    ],
)
def test_only_a_scope_that_serves_the_place_runs(learner, provider, make_scope, outcome, fields):
    make_scope(**fields)
    assert outcome(request_for(learner)) == NONE
    assert not provider.requests


@pytest.mark.parametrize("action", ["", "course_content", "_store", "__init__", "lazy_load_chat_history"])
def test_only_published_actions_run(learner, provider, make_scope, outcome, action):
    make_scope()
    assert outcome(request_for(learner, action=action)) == "unknown_action"
    assert not provider.requests
