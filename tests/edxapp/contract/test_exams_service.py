"""Attempts that the separate exams service holds."""

from __future__ import annotations

import sys

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache

from openedx_ai_extensions.edxapp.interface import Step
from openedx_ai_extensions.edxapp.platform import exams
from tests.edxapp.contract.sample import COURSE_KEY, key
from tests.fakes.exams_service import ExamsService


@pytest.fixture
def learner(db):
    return get_user_model().objects.create_user("learner")


@pytest.fixture
def service(world, settings):
    """The service, in use by the course; special exams are switched on."""
    world.exams_service_courses.add(COURSE_KEY)
    with ExamsService() as service:
        settings.FEATURES = {"ENABLE_SPECIAL_EXAMS": True}
        settings.EXAMS_SERVICE_URL = service.url
        yield service


def later() -> None:
    """The time that an answer holds has passed, and what was said last is still known."""
    for person in get_user_model().objects.all():
        names = ("down", f"fresh:{person.pk}", f"courses:{person.pk}")
        cache.delete_many(f"openedx_ai_extensions:exams_service:{name}" for name in names)


@pytest.mark.parametrize(
    ("attempt", "is_running"),
    [
        pytest.param({}, False, id="none"),
        pytest.param({"attempt_status": "created"}, False, id="not begun"),
        pytest.param({"attempt_status": "started"}, True, id="begun"),
        pytest.param({"attempt_status": "ready_to_submit"}, True, id="not handed in yet"),
        pytest.param({"attempt_status": "submitted"}, False, id="handed in"),
        pytest.param({"attempt_status": "timed_out"}, False, id="out of time"),
        pytest.param({"attempt_status": ["started"]}, False, id="of a form that nobody knows"),
    ],
)
def test_who_sits_an_exam_there(lms, service, learner, attempt, is_running):
    service.attempt = attempt
    assert lms.is_in_exam(learner) is is_running


def test_the_learner_asks_in_their_own_name(lms, service, learner):
    lms.is_in_exam(learner)
    ((path, headers),) = service.requests
    assert path == "/api/v1/exams/attempt/latest"
    assert headers["Authorization"] == "JWT token-of-learner-for-user_id"


def test_nobody_is_asked_where_no_course_of_theirs_uses_the_service(lms, service, learner, world, settings):
    stranger = get_user_model().objects.create_user("stranger")
    service.attempt = {"attempt_status": "started"}
    assert not lms.is_in_exam(stranger)
    world.exams_service_courses.clear()
    assert not lms.is_in_exam(learner)
    world.exams_service_courses.add(COURSE_KEY)
    later()
    settings.FEATURES = {"ENABLE_SPECIAL_EXAMS": False}
    assert not lms.is_in_exam(learner)
    settings.FEATURES, settings.EXAMS_SERVICE_URL = {"ENABLE_SPECIAL_EXAMS": True}, None
    assert not lms.is_in_exam(learner)
    assert not service.requests


def test_an_attempt_in_the_platform_itself_needs_no_service(lms, service, learner, world):
    world.attempts.add((learner.pk, key("sequential/exam")))
    assert lms.is_in_exam(learner)
    assert not service.requests


def test_looks_in_a_row_are_one_question(lms, service, learner, world):
    service.attempt = {"attempt_status": "started"}
    assert [lms.is_in_exam(learner) for _look in range(3)] == [True, True, True]
    assert (len(service.requests), world.calls["exams_ida_enabled"]) == (1, 1)
    service.attempt = {}
    later()
    assert not lms.is_in_exam(learner)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 500}, id="broken"),
        pytest.param({"status": 401}, id="refuses the token"),
        pytest.param({"status": 404}, id="knows no such question"),
        pytest.param({"status": 302}, id="leads elsewhere"),
        pytest.param({"body": b"<html>"}, id="no JSON"),
        pytest.param({"body": b"[]"}, id="another form"),
        pytest.param({"delay": 2.0}, id="slow"),
    ],
)
def test_a_service_that_cannot_be_asked(lms, service, learner, fault, caplog, monkeypatch):
    monkeypatch.setattr(exams, "TIMEOUT", 0.2)
    for name, value in fault.items():
        setattr(service, name, value)
    assert [lms.is_in_exam(learner), lms.is_in_exam(learner)] == [False, False]
    assert len(service.requests) == 1, "it is left alone for a while"
    (record,) = (record for record in caplog.records if record.name == exams.__name__)
    assert record.getMessage().startswith("exams_service.unavailable error=")
    assert "token-of" not in caplog.text
    way = lms.ways_to([key("html/h_exam")])[key("html/h_exam")]
    assert Step(key("sequential/exam"), True) in [Step(step.usage_key, step.is_exam) for step in way]


def test_nobody_listens(lms, service, learner, settings):
    settings.EXAMS_SERVICE_URL = "http://127.0.0.1:9/api/v1"
    assert not lms.is_in_exam(learner)
    settings.EXAMS_SERVICE_URL = "no address"
    later()
    assert not lms.is_in_exam(learner)


def test_what_it_said_last_holds_while_it_is_down(lms, service, learner):
    service.attempt = {"attempt_status": "started"}
    assert lms.is_in_exam(learner)
    later()
    service.status = 503
    assert lms.is_in_exam(learner)


def test_without_the_platform_s_own_exams(lms, service, learner, monkeypatch):
    monkeypatch.setitem(sys.modules, "edx_proctoring", None)
    service.attempt = {"attempt_status": "started"}
    assert lms.is_in_exam(learner)
