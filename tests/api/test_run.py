"""POST workflows/: answers, streams and events from a real provider."""

import json

import jwt
import pytest
from django.conf import settings

from openedx_ai_extensions.models import AIWorkflowScope
from tests.api.conftest import HERE, Api, error_of, text_of
from tests.conftest import SECRET, from_learner

NO_STREAM = {"processor_config": {"LLMProcessor": {"stream": False}}}
EVENTS = {"Accept": "text/event-stream"}
WORDS = ["Näive ", "光合作用 ", "\n\nevent: x\r\n", "🌱 ", "end"]
USAGE = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}


def events_of(response):
    """Parsed (event, data) pairs; comments are left out."""
    pairs = []
    for block in text_of(response).strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            pairs.append((fields["event"], json.loads(fields["data"])))
    return pairs


@pytest.mark.parametrize("action", ["run", "simple_button_assistance"])
def test_a_whole_answer(as_learner, make_scope, provider, action):
    make_scope(patch=NO_STREAM)
    provider.reply("Plants make sugar.")
    response = as_learner.run("Why?", action=action)
    assert response.status_code == 200
    assert response.json() == {"response": "Plants make sugar.", "status": "completed"}
    assert provider.requests[-1]["messages"][-1] == from_learner("Why?")
    assert "stream" not in provider.requests[-1]


@pytest.mark.parametrize("action", ["run", "simple_button_assistance"])
def test_a_text_stream(as_learner, make_scope, provider, action):
    make_scope()
    provider.reply(WORDS, split_bytes=True)
    response = as_learner.run(action=action)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Cache-Control"] == "no-cache"
    assert response["X-Accel-Buffering"] == "no"
    chunks = list(response.streaming_content)
    assert "".join(chunk.decode() for chunk in chunks) == "".join(WORDS)  # no chunk splits a character


def test_server_sent_events(as_learner, make_scope, provider):
    make_scope()
    provider.reply(WORDS, usage=USAGE)
    response = as_learner.run(headers=EVENTS)
    assert response["Content-Type"] == "text/event-stream"
    events = events_of(response)
    names = [name for name, _data in events]
    assert names[0] == "start"
    assert events[0][1]["run_id"]
    assert "".join(data["text"] for name, data in events if name == "delta") == "".join(WORDS)
    assert events[-2:] == [("usage", USAGE), ("done", {"status": "completed", "finish_reason": "stop"})]
    assert names.count("done") + names.count("error") == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(None, ["one ", "two"], id="nothing, in a text"),
        pytest.param(EVENTS, ['{"text": "one "}', "alive", "alive", '{"text": "two"}'], id="a comment, among events"),
    ],
)
def test_what_a_silent_model_sends(as_learner, make_scope, headers, expected):
    make_scope(patch={"orchestrator_class": "tests.api.samples.SilentStream"})
    text = text_of(as_learner.run(headers=headers))
    positions = [text.find(expected[0])]
    for part in expected[1:]:
        positions.append(text.find(part, positions[-1] + 1))
    assert -1 not in positions
    assert text.count("\n: alive\n") == expected.count("alive")


@pytest.mark.parametrize(
    ("accept", "streams"),
    [
        ("application/json", False),
        ("application/json; charset=utf-8", False),
        ("application/json, text/plain, */*", True),
        ("*/*", True),
        ("text/plain", True),
        ("text/event-stream", True),
        ("application/json, text/event-stream;q=0", False),
        ("application/json, text/event-stream; q=0.000, text/plain;q=0.1", True),
    ],
)
def test_a_client_that_takes_only_json_gets_json(as_learner, make_scope, provider, accept, streams):
    make_scope()
    provider.reply("ok")
    response = as_learner.run(headers={"Accept": accept})
    assert response.streaming is streams
    assert response.status_code == 200


def test_a_text_that_breaks_ends_with_the_marker(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["one ", "two ", "three "])
    provider.cut_after(2)
    text = text_of(as_learner.run())
    assert text.startswith("one ")
    marker = text[text.index("||") :]
    assert marker.startswith('||{"error_in_stream": true, "code": "streaming_failed", "message": "')
    assert marker.endswith('"}||')


def test_events_that_break_end_with_an_error(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["one ", "two ", "three "])
    provider.cut_after(2)
    events = events_of(as_learner.run(headers=EVENTS))
    assert events[-1][0] == "error"
    assert events[-1][1]["code"] == "streaming_failed"
    assert "done" not in dict(events)


@pytest.mark.parametrize("patch", [None, NO_STREAM], ids=["stream", "whole"])
@pytest.mark.parametrize("headers", [None, EVENTS], ids=["text", "events"])
def test_an_error_before_the_first_byte_has_its_own_status(as_learner, make_scope, provider, patch, headers, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    make_scope(patch=patch)
    provider.fail(500)
    assert error_of(as_learner.run(headers=headers)) == (503, "service_unavailable")


@pytest.mark.parametrize("person", ["stranger", "anonymous"])
def test_who_may_not_run(people, make_scope, provider, person):
    make_scope()
    response = Api(people.get(person)).run()
    assert error_of(response)[0] in ({403} if person == "stranger" else {401, 403})
    assert provider.requests == []


@pytest.mark.parametrize(
    ("secret_key", "status"), [(settings.SECRET_KEY, 200), ("another site's key", 401)], ids=["ours", "forged"]
)
def test_a_token_logs_in_without_a_session(learner, make_scope, provider, secret_key, status):
    make_scope(patch=NO_STREAM)
    claims = {
        "iss": settings.LMS_ROOT_URL, "aud": "tests", "exp": 4_000_000_000, "iat": 1,
        "preferred_username": "learner", "version": "1.2.0", "scopes": ["user_id"],
    }  # fmt: skip
    token = jwt.encode(claims, secret_key, algorithm="HS256")
    response = Api(enforce_csrf_checks=True).run(headers={"Authorization": f"JWT {token}"})
    assert response.status_code == status
    if status != 200:
        assert error_of(response) == (401, "not_authenticated")


def test_csrf_protects_sessions(learner, make_scope, provider):
    make_scope()
    api = Api(learner, enforce_csrf_checks=True)
    assert error_of(api.run()) == (403, "permission_denied")
    assert provider.requests == []


def test_outside_of_courses_only_scopes_for_it_serve(as_learner, make_scope):
    make_scope(slug="mock", base_filepath="examples/mock.json5", course_id=None, slot="anywhere",
               outside_courses=True)  # fmt: skip
    make_scope(slug="course", slot="course-only")
    assert as_learner.run(context={"uiSlotSelectorId": "anywhere"}).status_code == 200
    assert error_of(as_learner.run(context={"uiSlotSelectorId": "course-only"})) == (404, "workflow_not_found")


def test_the_most_specific_scope_answers(as_learner, make_scope):
    make_scope(slug="general", base_filepath="base/summary.json5")
    make_scope(slug="here", base_filepath="examples/mock.json5", location_regex="unit_sunlight$")
    assert "mock" in as_learner.run().json()["response"]
    assert AIWorkflowScope.objects.count() == 2


def test_no_secret_reaches_the_client_or_the_log(as_learner, make_scope, provider, caplog):
    make_scope(patch=NO_STREAM)
    provider.fail(401, {"error": {"message": f"Incorrect API key provided: {SECRET}", "code": "invalid_api_key"}})
    response = as_learner.run("my private words")
    assert error_of(response) == (500, "invalid_api_key")
    for text in (response.content.decode(), caplog.text):
        assert SECRET not in text
        assert "my private words" not in text
    assert "llm.call.failed" in caplog.text


@pytest.mark.parametrize(
    ("unit", "title"),
    [("unit_sunlight", "Sunlight, water and air"), ("unit_sugar", "From carbon dioxide to sugar")],
)
def test_the_place_of_the_learner_decides_the_content(as_learner, make_scope, provider, unit, title):
    make_scope(patch=NO_STREAM)
    provider.reply("ok")
    as_learner.run(context={**HERE, "locationId": HERE["locationId"].replace("unit_sunlight", unit)})
    system = provider.requests[-1]["messages"][0]["content"]
    assert f"<course_content>\n# {title}\n" in system
