"""The same request twice is one request."""

import threading

import pytest

from openedx_ai_extensions.models import AIPause, AIWorkflowScope
from tests.api.conftest import HERE, Api, error_of, text_of
from tests.conftest import COURSE_ID
from tests.waiting import eventually

NO_STREAM = {"processor_config": {"LLMProcessor": {"stream": False}}}
EVENTS = {"Accept": "text/event-stream"}
CLOSED_CACHE = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9"}
}


def body_of(response):
    return text_of(response) if response.streaming else response.content.decode()


@pytest.mark.parametrize(
    ("patch", "headers"),
    [
        pytest.param(NO_STREAM, None, id="whole"),
        pytest.param(None, None, id="text"),
        pytest.param(None, EVENTS, id="events"),
    ],
)
def test_a_repeated_request_gets_the_same_answer_without_a_second_call(
    as_learner, make_scope, provider, patch, headers
):
    make_scope(patch=patch)
    provider.reply(["one ", "two"])
    first = body_of(as_learner.run("Why?", request_id="r1", headers=headers))
    provider.reply("another")
    second = body_of(as_learner.run("Why?", request_id="r1", headers=headers))
    assert len(provider.requests) == 1
    for text in (first, second):
        assert "one " in text
        assert "two" in text
        assert "another" not in text
    if headers:
        assert "event: usage" in second
        assert second.count("event: done") == 1


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param({"request_id": "r2"}, id="another id"),
        pytest.param({"request_id": None}, id="no id"),
        pytest.param({"user_input": "How?"}, id="another question"),
        pytest.param({"action": "simple_button_assistance"}, id="another action"),
        pytest.param({"context": {key: HERE[key] for key in ("courseId", "uiSlotSelectorId")}}, id="another place"),
    ],
)
def test_whatever_differs_is_another_request(as_learner, make_scope, provider, difference):
    make_scope(patch={"processor_config": {"LLMProcessor": {"stream": False}, "OpenEdXProcessor": None}})
    as_learner.run(user_input="Why?", request_id="r1")
    response = as_learner.run(**{"user_input": "Why?", "request_id": "r1", **difference})
    assert response.status_code == 200
    assert len(provider.requests) == 2


def test_another_person_with_the_same_id_asks_anew(people, make_scope, provider):
    make_scope(patch=NO_STREAM)
    for name in ("learner", "author"):
        Api(people[name]).run(request_id="r1")
    assert len(provider.requests) == 2


@pytest.mark.django_db(transaction=True)
def test_while_the_first_runs_the_second_is_refused(learner, make_scope, provider):
    make_scope(patch=NO_STREAM)
    provider.hang(60)
    answers = []
    first = threading.Thread(target=lambda: answers.append(Api(learner).run(request_id="r1").status_code))
    first.start()
    eventually(lambda: provider.requests)
    assert error_of(Api(learner).run(request_id="r1")) == (409, "duplicate_request")
    provider.go_on()
    first.join()
    assert answers == [200]
    assert len(provider.requests) == 1


@pytest.mark.parametrize("patch", [None, NO_STREAM], ids=["stream", "whole"])
def test_a_failure_frees_the_id(as_learner, make_scope, provider, settings, patch):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    make_scope(patch=patch)
    provider.fail(500, times=1)
    assert as_learner.run(request_id="r1").status_code == 503
    provider.reply("fine")
    assert "fine" in body_of(as_learner.run(request_id="r1"))


def test_a_broken_stream_frees_the_id(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["one ", "two ", "three"])
    provider.cut_after(1)
    assert "error_in_stream" in text_of(as_learner.run(request_id="r1"))
    provider.reply("fine")
    assert text_of(as_learner.run(request_id="r1")) == "fine"


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_leaves_frees_the_id(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["one "] * 1000, delay=0.2)
    as_learner.run(request_id="r1").close()
    provider.reply("fine")
    assert text_of(as_learner.run(request_id="r1")) == "fine"


def test_a_repetition_that_is_refused_leaves_the_answer(as_learner, make_scope, provider):
    make_scope(patch=NO_STREAM)
    provider.reply("one")
    first = body_of(as_learner.run(request_id="r1"))
    pause = AIPause.objects.create(course_id=COURSE_ID, enabled=True)
    assert as_learner.run(request_id="r1").status_code == 403
    pause.delete()
    provider.reply("another")
    assert body_of(as_learner.run(request_id="r1")) == first
    assert len(provider.requests) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [None, EVENTS], ids=["text", "events"])
def test_so_does_one_whose_reader_leaves(as_learner, make_scope, provider, headers):
    make_scope()
    provider.reply(["one ", "two"])
    first = body_of(as_learner.run(request_id="r1", headers=headers))
    as_learner.run(request_id="r1", headers=headers).close()
    provider.reply("another")
    assert "one " in first
    assert "one " in body_of(as_learner.run(request_id="r1", headers=headers))
    assert len(provider.requests) == 1


def test_without_a_cache_each_request_is_answered(as_learner, make_scope, provider, settings):
    make_scope(patch=NO_STREAM)
    settings.CACHES = CLOSED_CACHE
    for _ in range(2):
        assert as_learner.run(request_id="r1").status_code == 200
    assert len(provider.requests) == 2
    assert AIWorkflowScope.objects.filter(course_id=COURSE_ID).exists()
