"""GET profiles/: what is configured, for those who teach."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from openedx_ai_extensions.models import AIWorkflowScope
from tests.api.conftest import Api, error_of
from tests.conftest import COURSE_ID, SECRET, SLOT, UNIT_ID

OTHER_COURSE = "course-v1:Other+Course+run"
COURSE = {"courseId": COURSE_ID}


def slugs(response):
    assert response.status_code == 200, response.content
    body = response.json()
    assert set(body) == {"profiles", "count", "timestamp"}
    assert body["count"] == len(body["profiles"])
    return [profile["slug"] for profile in body["profiles"]]


def test_the_shape(people, make_scope):
    scope = make_scope(location_regex="unit_")
    AIWorkflowScope.objects.create(profile=scope.profile, ui_slot_selector_id="b", course_id=OTHER_COURSE)
    [profile] = Api(people["author"]).profiles(COURSE).json()["profiles"]
    assert set(profile) == {"id", "slug", "description", "effective_config", "scopes", "usage"}
    assert profile["usage"] == {"scope_count": 2}
    assert profile["effective_config"]["orchestrator_class"] == "DirectLLMResponse"
    assert profile["scopes"] == [
        {
            "id": str(scope.pk),
            "course_id": COURSE_ID,
            "service_variant": "lms",
            "enabled": True,
            "ui_slot_selector_id": SLOT,
            "location_regex": "unit_",
            "specificity_index": 3,
        }
    ]


@pytest.mark.parametrize(
    ("person", "context", "status"),
    [
        ("admin", COURSE, 200),
        ("admin", {}, 200),
        ("author", COURSE, 200),
        ("author", {"locationId": UNIT_ID}, 200),
        ("author", {}, 403),
        ("author", {"courseId": OTHER_COURSE}, 403),
        ("learner", COURSE, 403),
        ("stranger", COURSE, 403),
        (None, COURSE, 401),
    ],
)
def test_who_may_read(people, make_scope, person, context, status):
    make_scope()
    response = Api(people.get(person)).profiles(context)
    assert response.status_code == status
    if status != 200:
        error_of(response)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        pytest.param({}, ["regex", "course", "cms", "every"], id="everything of the course"),
        pytest.param({"uiSlotSelectorId": "a"}, ["regex", "every"], id="one slot, and scopes without one"),
        pytest.param({"serviceVariant": "cms"}, ["cms"], id="one service"),
        pytest.param({"locationId": UNIT_ID}, ["course", "cms", "every"], id="one location"),
    ],
)
def test_filters(people, make_scope, context, expected):
    make_scope(slug="every", course_id=None, slot="")
    make_scope(slug="cms", slot="b", service_variant="cms")
    make_scope(slug="course", slot="c")
    make_scope(slug="regex", slot="a", location_regex="nowhere")
    make_scope(slug="disabled", enabled=False)
    make_scope(slug="elsewhere", course_id=OTHER_COURSE)
    assert slugs(Api(people["author"]).profiles({**COURSE, **context})) == expected


def test_credentials_are_hidden_and_counts_are_not(people, make_scope, provider):
    hidden = {
        "api_key": "k1-value",
        "API-KEY": "k2-value",
        "Authorization": "k3-value",
        "vertex_credentials": "k4-value",
    }
    make_scope(
        patch={
            "extension": {"deep": [hidden, {"note": f"uses {SECRET} inside"}], "max_tokens": 321},
            "processor_config": {"LLMProcessor": {"options": {"max_tokens": 99}}},
        }
    )
    response = Api(people["author"]).profiles(COURSE)
    config = response.json()["profiles"][0]["effective_config"]
    assert set(config["extension"]["deep"][0].values()) == {"[REDACTED]"}
    assert config["extension"]["max_tokens"] == 321
    assert config["processor_config"]["LLMProcessor"]["options"]["max_tokens"] == 99
    assert SECRET not in response.content.decode()


def test_many_profiles_cost_no_more_queries_than_few(people, make_scope):
    api = Api(people["author"])

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert api.profiles(COURSE).status_code == 200
        return len(captured)

    for number in range(2):
        make_scope(slug=f"p{number}", slot=f"s{number}")
    few = queries()
    for number in range(2, 20):
        make_scope(slug=f"p{number}", slot=f"s{number}")
    assert queries() == few
