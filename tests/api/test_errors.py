"""Every line of the wire contract's error table, provoked for real."""

import json

import pytest

from tests.api.conftest import Api, error_of

NO_STREAM = {"processor_config": {"LLMProcessor": {"stream": False}}}


@pytest.fixture
def ready(as_learner, make_scope, provider, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    make_scope(patch=NO_STREAM)
    return as_learner


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("{", (400, "parse_error"), id="not JSON"),
        pytest.param("", (400, "validation_error"), id="empty"),
        pytest.param("[1]", (400, "parse_error"), id="a list"),
        pytest.param("[" * 200_000, (400, "parse_error"), id="nested beyond reason"),
        pytest.param(b"\xff\xfe", (400, "parse_error"), id="not UTF-8"),
        pytest.param('{"action": "run", "user_input": NaN}', (400, "parse_error"), id="not a number"),
        pytest.param('{"action": "run", "user_input": %s}' % ("9" * 5_000), (400, "parse_error"), id="a huge number"),
        pytest.param("{}", (400, "validation_error"), id="no action"),
        pytest.param('{"action": 3}', (400, "validation_error"), id="action is a number"),
        pytest.param('{"action": "dance"}', (400, "unknown_action"), id="unknown action"),
        pytest.param('{"action": "__init__"}', (400, "unknown_action"), id="a method's name"),
        pytest.param('{"action": "run", "user_input": [1]}', (400, "validation_error"), id="input of the wrong kind"),
        pytest.param(json.dumps({"action": "run", "user_input": "x" * 20_001}), (413, "payload_too_large"), id="long"),
        pytest.param(
            json.dumps({"action": "run", "padding": "x" * 2_000_000}), (413, "payload_too_large"), id="a huge body"
        ),
    ],
)
def test_bad_requests(ready, provider, body, expected):
    assert error_of(ready.post(body)) == expected
    assert provider.requests == []


def test_a_body_whose_length_is_no_number(ready, provider):
    response = ready.post('{"action": "run"}', CONTENT_LENGTH="many")
    assert error_of(response) == (400, "validation_error")
    assert provider.requests == []


@pytest.mark.parametrize("template", ["base/summary.json5", "examples/mock.json5"], ids=["model", "mock"])
def test_half_an_emoji_is_mended(as_learner, make_scope, provider, template):
    """JavaScript cuts texts between the two halves of a character."""
    make_scope(base_filepath=template)
    response = as_learner.run("all is well \ud83d", request_id="\ude00", headers={"Accept": "application/json"})
    assert response.status_code == 200
    seen = provider.requests[-1]["messages"][-1]["content"] if provider.requests else response.json()["response"]
    assert "all is well \ufffd" in seen


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        pytest.param(401, None, {}, (500, "invalid_api_key"), id="key refused"),
        pytest.param(403, None, {}, (500, "invalid_api_key"), id="key may not"),
        pytest.param(404, None, {}, (500, "llm_config_error"), id="no such model"),
        pytest.param(400, None, {}, (500, "llm_config_error"), id="bad option"),
        pytest.param(
            400,
            {
                "error": {
                    "message": "This model's maximum context length is 10 tokens",
                    "code": "context_length_exceeded",
                }
            },
            {},
            (400, "context_window_exceeded"),
            id="too long for the model",
        ),
        pytest.param(429, None, {"Retry-After": "7"}, (429, "rate_limit_exceeded"), id="rate limit"),
        pytest.param(500, None, {}, (503, "service_unavailable"), id="provider broken"),
        pytest.param(502, b"<html>bad gateway</html>", {}, (503, "service_unavailable"), id="proxy broken"),
        pytest.param(503, None, {}, (503, "service_unavailable"), id="provider overloaded"),
    ],
)
def test_provider_faults(ready, provider, status, body, headers, expected):
    provider.fail(status, body, headers)
    response = ready.run()
    assert error_of(response) == expected
    assert response.headers.get("Retry-After") == headers.get("Retry-After")


def test_garbage_from_the_provider(ready, provider):
    provider.garbage()
    assert error_of(ready.run()) == (503, "service_unavailable")


def test_a_silent_provider(ready, provider, settings):
    settings.AI_EXTENSIONS_TOTAL_TIMEOUT = 0.5
    provider.hang(30)
    assert error_of(ready.run()) == (503, "service_unavailable")


def test_an_unreachable_provider(ready, settings):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x", "API_KEY": "k", "API_BASE": "http://127.0.0.1:9/v1"}}
    assert error_of(ready.run()) == (503, "service_unavailable")


def test_a_provider_that_is_not_configured(ready, settings):
    settings.AI_EXTENSIONS = {}
    assert error_of(ready.run()) == (500, "llm_config_error")


def test_a_processor_that_says_no(as_learner, make_scope, provider):
    make_scope(base_filepath="base/flashcards.json5")
    provider.reply("No cards today.")
    assert error_of(as_learner.run()) == (500, "processor_error")


def test_nothing_here(as_learner, provider):
    assert error_of(as_learner.run()) == (404, "workflow_not_found")


def test_no_permission_comes_before_nothing_here(people, provider):
    assert error_of(Api(people["stranger"]).run()) == (403, "permission_denied")


def test_no_login():
    status, code = error_of(Api().run())
    assert (status, code) == (401, "not_authenticated")


def test_a_fault_of_ours_has_a_reference_and_no_words(as_learner, make_scope, caplog):
    make_scope(patch={"orchestrator_class": "tests.api.samples.Faulty"})
    response = as_learner.run("private words")
    assert error_of(response) == (500, "internal_error")
    reference = response.json()["error"]["message"].split()[-1]
    assert reference in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "private words" not in caplog.text + response.content.decode()


def test_an_answer_that_cannot_be_sent_is_an_error_and_frees_the_id(as_learner, make_scope):
    scope = make_scope(patch={"orchestrator_class": "tests.api.samples.Unanswerable"})
    assert error_of(as_learner.run(request_id="r1")) == (500, "internal_error")
    scope.profile.content_patch = '{orchestrator_class: "MockResponse"}'
    scope.profile.save()
    assert as_learner.run(request_id="r1").status_code == 200


def test_an_error_of_an_extension_has_its_own_code_fields_and_delay(as_learner, make_scope):
    make_scope(patch={"orchestrator_class": "tests.api.samples.Refusing"})
    response = as_learner.run()
    assert error_of(response) == (429, "enough_for_today")
    assert response["Retry-After"] == "60"
    assert response.json()["error"] == {
        "code": "enough_for_today",
        "message": "That is enough for today.",
        "limit": 5,
        "resets_at": "2030-01-01T00:00:00+00:00",
    }


def test_a_fault_of_ours_within_a_stream(as_learner, make_scope, caplog):
    make_scope(patch={"orchestrator_class": "tests.api.samples.FaultyStream"})
    text = b"".join(as_learner.run("private words").streaming_content).decode()
    assert text.startswith('fine ||{"error_in_stream": true, "code": "streaming_failed"')
    assert "ZeroDivisionError" in caplog.text
    assert "private words" not in caplog.text + text


@pytest.mark.parametrize("method", ["put", "delete", "get"])
def test_other_methods(as_learner, method):
    assert getattr(as_learner.client, method)(as_learner.url("aiext_workflows")).status_code == 405
