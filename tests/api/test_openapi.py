"""The OpenAPI description: it is valid, leaves nothing out, and is what the endpoints really do."""

import json
from typing import Any

import pytest
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from openedx_ai_extensions import exceptions
from openedx_ai_extensions.api.v1.openapi import actions
from openedx_ai_extensions.api.v1.openapi.json_schemas import CODES, NO_ANSWERS
from openedx_ai_extensions.api.v1.urls import urlpatterns
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.models import AILimit, AINotice, PromptTemplate
from openedx_ai_extensions.workflows.orchestrators import BUILT_IN
from tests.api.conftest import HERE, Api
from tests.api.described import description
from tests.api.test_run import EVENTS, NO_STREAM, events_of

BASE = "/openedx-ai-extensions/v1/"
CARD = {"question": "What does chlorophyll do?", "answer": "It takes in light."}
QUESTION = {
    "display_name": "Leaves",
    "question_html": "<p>What colour are leaves?</p>",
    "problem_type": "stringresponse",
    "choices": [],
    "answer_value": "green",
    "tolerance": None,
    "explanation": "",
    "demand_hints": [],
}
LIBRARY = "lib:OpenedX:quizzes"


def against(schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator({**schema, "components": description()["components"]}).validate(value)


def as_described(response: Any, path: str) -> Any:
    """The parsed answer, which has a described status, type and form; of a stream its bytes."""
    operation = description()["paths"][BASE + path][response.wsgi_request.method.lower()]
    content = operation["responses"][str(response.status_code)]["content"]
    schema = content[response["Content-Type"].partition(";")[0]]["schema"]
    value = b"".join(response).decode() if response.streaming else response.json()
    against(schema, value)
    return value


def said(api: Api, action: str, user_input: Any = None, **more: Any) -> Any:
    """What an action answers; neither it nor the request is other than described."""
    against(actions.REQUEST, {"action": action, "user_input": user_input})
    return as_described(api.run(user_input, action=action, **more), "workflows/")


def test_it_is_valid():
    validate(description())
    validate_schema(description())


def test_every_endpoint_is_in_it():
    served = {
        (f"{BASE}{str(pattern.pattern).replace('<str:', '{').replace('>', '}')}", method)
        for pattern in urlpatterns
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(pattern.callback.view_class, method)
    }
    described = {(path, method) for path, operations in description()["paths"].items() for method in operations}
    assert described == served


def test_every_operation_takes_a_context_and_a_login():
    for operations in description()["paths"].values():
        for method, operation in operations.items():
            assert operation["parameters"][0] == {"$ref": "#/components/parameters/context"}
            assert [set(each) for each in operation["security"]] == [
                {"jwtCookie", "useJwtCookie"} | ({"csrfToken"} if method != "get" else set()),
                {"jwt"},
                {"session"} | ({"csrfToken"} if method != "get" else set()),
            ]
            assert {"200", "400", "401", "403", "500"} <= set(operation["responses"])


def test_every_error_is_in_it():
    ours = {
        (error.http_status, error.code)
        for error in vars(exceptions).values()
        if isinstance(error, type) and issubclass(error, AIExtensionsError)
    }
    responses = description()["paths"][f"{BASE}workflows/"]["post"]["responses"]
    of_any = {(status, error.code) for error in CODES.values() for status in error.statuses}
    assert {(status, code) for status, code in ours if code not in NO_ANSWERS} <= of_any
    assert "streaming_failed" in responses["200"]["content"]["text/plain"]["schema"]["description"]
    for error in CODES.values():
        assert error.component in description()["components"]["schemas"]


def test_every_action_is_in_it():
    assert {name for orchestrator in BUILT_IN.values() for name in orchestrator.actions} == set(actions.ACTIONS)


@pytest.fixture
def api(people, provider, make_scope, settings, tmp_path):
    """Of somebody for whom a workflow is set up, by its template."""
    settings.AI_EXTENSIONS_STANDALONE_LIBRARIES = {LIBRARY: {"path": tmp_path / "library", "editors": ["author"]}}

    def of(name: str, template: str, says: Any = "Green.", **scope: Any) -> Api:
        provider.reply(says if isinstance(says, str) else json.dumps(says))
        make_scope(base_filepath=f"base/{template}.json5", slug=template, **scope)
        return Api(people[name])

    return of


def test_one_answer(api):
    learner = api("learner", "summary", patch=NO_STREAM)
    assert said(learner, "run", {"text": "Why?"}) == {"response": "Green.", "status": "completed"}
    assert said(learner, "simple_button_assistance", "Why?")["response"] == "Green."


def test_a_stream(api):
    learner = api("learner", "summary")
    assert said(learner, "run") == "Green."
    response = learner.run(headers=EVENTS)
    content = description()["paths"][f"{BASE}workflows/"]["post"]["responses"]["200"]["content"]
    events = events_of(response)
    assert {name for name, _data in events} == {"start", "delta", "usage", "done"}
    for name, data in events:
        against(content[response["Content-Type"]]["schema"], {"event": name, "data": json.dumps(data)})
        against(actions.EVENTS[name], data)


def test_a_conversation(api):
    learner = api("learner", "chat", patch=NO_STREAM)
    assert said(learner, "get_current_session_response")["response"] is None
    assert said(learner, "run", "Why?")["response"] == "Green."
    for action, user_input in (("run", None), ("lazy_load_chat_history", 1), ("get_current_session_response", None)):
        against(actions.SCHEMAS["Messages"], json.loads(said(learner, action, user_input)["response"]))
    assert said(learner, "clear_session")["status"] == "session_cleared"


def test_flashcards_in_the_background(api):
    learner = api("learner", "flashcards", {"cards": [CARD]})
    assert said(learner, "get_current_session_response")["status"] == "no_flashcards"
    assert said(learner, "get_run_status")["status"] == "idle"
    assert said(learner, "run_async", {"num_cards": 1})["status"] == "processing"
    (card,) = said(learner, "get_run_status")["response"]
    assert said(learner, "cancel_run")["status"] == "completed"
    assert said(learner, "save", {"card_stack": {"cards": [{**card, "repetitions": 1}]}})["status"] == "saved"
    assert said(learner, "get_current_session_response")["cards"]


def test_a_quiz(api):
    author = api("author", "quiz", {"collection_name": "Light", "questions": [QUESTION]})
    assert said(author, "run", {"num_questions": 1})["response"]["question_slots"]
    assert said(author, "regenerate_question", {"question_index": 0})["response"]["selected"] == 1
    assert said(author, "get_current_session_response")["response"]["collection_name"] == "Light"
    bad = {**QUESTION, "problem_type": "choiceresponse"}
    saved = said(author, "save", {"library_id": LIBRARY, "questions": [QUESTION, bad], "publish": True})
    assert (saved["saved"], len(saved["failed"]), saved["published"]) == (1, 1, True)
    assert said(author, "save", {"library_id": LIBRARY, "questions": [bad]})["error"]["failed"]


def test_what_only_shows_something(api):
    staff = api("admin", "summary")
    AINotice.objects.create(text="What you write here goes to a company.")
    AILimit.objects.create(per="person", period="day", requests=0)
    prompt = PromptTemplate.objects.create(slug="short", body="Be short.")
    get, url = staff.client.get, staff.url
    assert as_described(staff.profile(), "profile/")["ui_components"]
    assert as_described(staff.profile({}), "profile/")["status"] == "no_config"
    assert as_described(get(url("aiext_consent")), "consent/")["required"]
    assert as_described(get(url("aiext_limits")), "limits/")["limits"]
    assert as_described(staff.profiles(), "profiles/")["count"] == 1
    assert as_described(staff.course_text(), "course-text/")["text"]
    assert as_described(staff.prompt("short"), "prompts/{identifier}/")["id"] == str(prompt.uuid)
    assert (
        as_described(staff.patch_prompt("short", {"body": "Be long."}), "prompts/{identifier}/")["body"] == "Be long."
    )


@pytest.mark.parametrize(
    ("action", "user_input", "context", "code"),
    [
        pytest.param("fly", None, HERE, "unknown_action", id="no such action"),
        pytest.param("run", "x" * 100_000, HERE, "payload_too_large", id="too much"),
        pytest.param("run", None, {}, "workflow_not_found", id="nothing is set up"),
        pytest.param("run", None, {"courseId": "?"}, "validation_error", id="no course key"),
        pytest.param("run", None, HERE, "consent_required", id="not accepted"),
    ],
)
def test_errors(api, action, user_input, context, code):
    learner = api("learner", "summary")
    AINotice.objects.create(text="What you write here goes to a company.")
    answer = as_described(learner.run(user_input, action=action, context=context), "workflows/")
    assert answer["error"]["code"] == code


def test_a_limit_and_no_login(api):
    learner = api("learner", "summary")
    AILimit.objects.create(per="person", period="day", requests=0)
    assert as_described(learner.run(), "workflows/")["error"]["resets_at"] is None
    assert as_described(Api().run(), "workflows/")["error"]["code"] == "not_authenticated"
