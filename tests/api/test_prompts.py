"""GET and PATCH prompts/: read by those who teach, rewritten only by those it concerns."""

import pytest
from django.urls import reverse

from openedx_ai_extensions.models import PromptTemplate
from tests.api.conftest import Api, error_of
from tests.conftest import COURSE_ID

OTHER_COURSE = "course-v1:Other+Course+run"
COURSE = {"courseId": COURSE_ID}


@pytest.fixture
def prompt(db):
    return PromptTemplate.objects.create(slug="tutor", body="You are a tutor.")


@pytest.fixture
def use(make_scope, prompt):
    """Make a profile that uses the prompt, and a scope that serves it."""

    def make(slug, *, reference="tutor", **scope):
        config = {"LLMProcessor": {"prompt_template": reference, "stream": False}}
        return make_scope(slug=slug, slot=slug, patch={"processor_config": config}, **scope)

    return make


@pytest.mark.parametrize("reference", ["slug", "uuid", "hex", "upper"])
def test_read(people, prompt, use, reference):
    use("a")
    names = {"slug": prompt.slug, "uuid": str(prompt.uuid), "hex": prompt.uuid.hex, "upper": str(prompt.uuid).upper()}
    body = Api(people["author"]).prompt(names[reference], COURSE).json()
    assert set(body) == {"id", "slug", "body", "created_at", "updated_at", "usage"}
    assert (body["id"], body["slug"], body["body"]) == (str(prompt.uuid), "tutor", "You are a tutor.")
    assert body["usage"] == {"profile_count": 1}
    assert body["created_at"].endswith("Z")


@pytest.mark.parametrize("method", ["prompt", "patch_prompt"])
def test_unknown(people, method):
    arguments = ("none",) if method == "prompt" else ("none", {"body": "x"})
    assert error_of(getattr(Api(people["admin"]), method)(*arguments))[0] == 404


@pytest.mark.parametrize(
    ("person", "context", "status"),
    [("admin", {}, 200), ("author", COURSE, 200), ("author", {}, 200), ("learner", COURSE, 403), ("stranger", {}, 403)],
)
def test_who_may_read(people, use, person, context, status):
    use("a")
    assert Api(people[person]).prompt("tutor", context).status_code == status


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({}, "body", id="nothing"),
        pytest.param({"body": "  "}, "body", id="blank"),
        pytest.param({"body": 7}, "body", id="a number"),
        pytest.param({"body": "x", "slug": "y"}, "slug", id="another field"),
        pytest.param({"uuid": "y", "body": "x"}, "uuid", id="the uuid"),
    ],
)
def test_refused_changes(people, prompt, body, named):
    response = Api(people["admin"]).patch_prompt("tutor", body)
    assert error_of(response) == (400, "validation_error")
    assert named in response.json()["error"]["message"]
    prompt.refresh_from_db()
    assert prompt.body == "You are a tutor."


def test_half_a_character_is_mended(people, prompt):
    assert Api(people["admin"]).patch_prompt("tutor", {"body": "Be kind \ud83d"}).json()["body"] == "Be kind \ufffd"


@pytest.mark.parametrize(
    ("person", "context", "status"),
    [("anonymous", COURSE, 401), ("learner", COURSE, 403)],
    ids=["anonymous", "learner"],
)
@pytest.mark.parametrize("method", ["prompt", "patch_prompt"])
def test_refusals_have_the_shape_of_errors(people, prompt, use, person, context, status, method):
    use("a")
    arguments = ("tutor",) if method == "prompt" else ("tutor", {"body": "x"})
    assert error_of(getattr(Api(people.get(person)), method)(*arguments, context))[0] == status


@pytest.mark.parametrize(
    ("person", "used", "allowed"),
    [
        pytest.param("admin", [], True, id="site staff, always"),
        pytest.param("author", [{}], True, id="used in my course only"),
        pytest.param("author", [{}, {"course_id": OTHER_COURSE}], False, id="used in another course too"),
        pytest.param("author", [{}, {"course_id": None}], False, id="used in every course"),
        pytest.param("author", [{"course_id": OTHER_COURSE}], False, id="used in another course"),
        pytest.param("author", [], False, id="used nowhere"),
        pytest.param("author", [{}, {"course_id": OTHER_COURSE, "enabled": False}], True, id="disabled elsewhere"),
        pytest.param(
            "author", [{}, {"course_id": OTHER_COURSE, "reference": "UUID"}], False, id="named by UUID elsewhere"
        ),
        pytest.param("learner", [{}], False, id="a learner"),
        pytest.param("stranger", [{}], False, id="a stranger"),
    ],
)
def test_who_may_change(people, prompt, use, person, used, allowed):
    for number, scope in enumerate(used):
        reference = str(prompt.uuid).upper() if scope.get("reference") == "UUID" else "tutor"
        use(f"p{number}", **{**scope, "reference": reference})
    response = Api(people[person]).patch_prompt("tutor", {"body": "Be kind."}, COURSE)
    prompt.refresh_from_db()
    assert (response.status_code, prompt.body) == ((200, "Be kind.") if allowed else (403, "You are a tutor."))


def test_the_next_answer_follows_the_new_words(people, prompt, use, provider):
    use("a")
    context = {"courseId": COURSE_ID, "locationId": None, "uiSlotSelectorId": "a"}
    context["locationId"] = "block-v1:OpenedX+AIX+demo+type@vertical+block@unit_sunlight"
    Api(people["author"]).patch_prompt("tutor", {"body": "Answer in verse."}, COURSE)
    assert Api(people["learner"]).run("Why?", context=context).status_code == 200
    assert provider.requests[-1]["messages"][0]["content"].startswith("Answer in verse.")


def test_the_address_is_known_by_its_keyword():
    url = reverse("openedx_ai_extensions:api:v1:aiext_prompt_detail", kwargs={"identifier": "tutor"})
    assert url == "/openedx-ai-extensions/v1/prompts/tutor/"
