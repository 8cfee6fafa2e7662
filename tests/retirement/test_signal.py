"""The platform retires a person: what goes, what stays, and what happens when something fails."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as site
from django.db import DatabaseError, connection, transaction
from django.dispatch import Signal
from submissions import api
from submissions.models import Submission

from openedx_ai_extensions.events.receivers import retire
from openedx_ai_extensions.models import AIWorkflowSession
from tests.fakes import openai_responses
from tests.fakes.wire import Refused
from tests.retirement.conftest import kept
from tests.workflows.conversations.conftest import Chat

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Path(__file__).with_name("platform_process.py")


@pytest.fixture
def retire_person():
    """Send the signal, as the platform does; what our receiver returned."""
    signal = Signal()
    signal.connect(retire)

    def send(user):
        ((_receiver, retired),) = signal.send(sender=object, user=user)
        return retired

    return send


def test_everything_of_the_person_goes_and_nothing_of_others(chats, responses, learner, author, retire_person):
    ours = {session.user_id: session.remote_response_id for session in AIWorkflowSession.objects.all()}
    retired = retire_person(learner)
    assert (retired.sessions, retired.submissions, len(retired.threads)) == (1, 4, 1)
    assert (kept(learner), kept(author)) == ((0, 0), (1, 4))
    assert ours[learner.pk] not in responses.memory.responses
    assert len(responses.memory.responses) == 2
    assert chats[1].session.get_remote_thread()[-1]["id"] == ours[author.pk]


def test_a_second_time_there_is_nothing_to_do(chats, responses, learner, retire_person):
    retire_person(learner)
    responses.lookups.clear()
    retired = retire_person(learner)
    assert (retired.sessions, retired.submissions, retired.threads) == (0, 0, ())
    assert not responses.lookups


def test_who_never_asked_is_retired_too(learner, retire_person):
    assert retire_person(learner).sessions == 0


def test_what_cleared_and_deleted_sessions_left_goes(chats, learner, retire_person):
    chats[0].do("clear_session")
    chats[0].answer("Once more?")
    AIWorkflowSession.objects.filter(user=learner).delete()
    assert kept(learner) == (0, 6)
    assert retire_person(learner).submissions == 6
    assert kept(learner) == (0, 0)


def test_submissions_that_are_not_ours_stay(chats, learner, retire_person):
    essay = {"student_id": str(learner.pk), "course_id": "c", "item_id": "i", "item_type": "openassessment"}
    api.create_submission(essay, "An essay.")
    retire_person(learner)
    assert [submission.answer for submission in Submission.objects.filter(student_item__student_id=learner.pk)] == [
        "An essay."
    ]


def test_a_person_whose_id_begins_alike_stays(chats, learner, retire_person):
    alike = {
        "student_id": f"{learner.pk}0",
        "course_id": "c",
        "item_id": "i",
        "item_type": "openedx_ai_extensions_chat",
    }
    api.create_submission(alike, [])
    retire_person(learner)
    assert Submission.objects.filter(student_item__student_id=f"{learner.pk}0").exists()


@pytest.mark.parametrize("failures", [1, 3, 1000])
def test_a_provider_that_fails_stops_nothing(chats, responses, learner, settings, caplog, retire_person, failures):
    caplog.set_level(logging.INFO)
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    responses.fail(500, times=failures)
    retire_person(learner)
    assert kept(learner) == (0, 0)
    assert len(responses.memory.responses) == (4 if failures == 1000 else 2)
    assert ("retirement.thread.left provider=default response=resp_" in caplog.text) is (failures == 1000)


def test_a_provider_that_is_no_more_stops_nothing(chats, learner, settings, caplog, retire_person):
    settings.AI_EXTENSIONS = {}
    retire_person(learner)
    assert kept(learner) == (0, 0)
    assert "code=llm_config_error" in caplog.text


def test_a_provider_that_has_forgotten_is_content(chats, responses, learner, caplog, retire_person):
    responses.forget_threads()
    retire_person(learner)
    assert "retirement.thread.left" not in caplog.text


def test_an_answer_lost_on_the_way_does_not_end_the_walk(chats, responses, learner, retire_person):
    """The provider deleted the last response, and its answer got lost: the one before is deleted all the same."""

    class LosingAnAnswer(dict):
        is_lost = False

        def pop(self, *args):
            found = dict.pop(self, *args)
            if not self.is_lost:
                self.is_lost = True
                raise Refused(openai_responses.error(503, "upstream is gone"), 503)
            return found

    responses.memory.responses = LosingAnAnswer(responses.memory.responses)
    retire_person(learner)
    assert len(responses.memory.responses) == 2


def test_a_database_that_fails_is_the_platforms_to_know(chats, responses, learner, retire_person):
    def broken(execute, sql, params, many, context):
        if sql.startswith("DELETE") and "submissions_submission" in sql:
            raise DatabaseError("gone away")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(broken), pytest.raises(DatabaseError):
        retire_person(learner)
    assert kept(learner) == (1, 4)
    assert len(responses.memory.responses) == 4
    retire_person(learner)
    assert kept(learner) == (0, 0)


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        pytest.param("SELECT", 1, id="before the history is read"),
        pytest.param("INSERT", 1, id="before the question is stored"),
        pytest.param("INSERT", 2, id="before the answer is stored"),
    ],
)
def test_a_retirement_in_the_middle_of_a_turn_leaves_nothing(
    chats, responses, learner, retire_person, statement, number
):
    seen = []

    def retire_first(execute, sql, params, many, context):
        if sql.lstrip().startswith(statement) and "submissions_submission" in sql and len(seen) < number:
            seen.append(sql)
            if len(seen) == number:
                retire_person(learner)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(retire_first):
        chats[0].say("Why not blue?")
    assert len(seen) == number
    assert kept(learner) == (0, 0)


def test_a_retirement_that_is_rolled_back_leaves_the_provider_alone(chats, responses, learner, retire_person):
    with transaction.atomic():
        retire_person(learner)
        transaction.set_rollback(True)
    assert kept(learner) == (1, 4)
    assert len(responses.memory.responses) == 4


def test_no_word_is_logged(make_scope, responses, learner, caplog, retire_person):
    caplog.set_level(logging.DEBUG, logger="openedx_ai_extensions")
    make_scope(base_filepath="base/chat.json5")
    Chat(learner).answer("my secret wish")
    retire_person(learner)
    assert "retirement.done" in caplog.text
    assert "wish" not in caplog.text
    assert learner.username not in caplog.text


@pytest.fixture
def in_the_platform(learner, settings):
    """Retire the learner in a service of the platform; what the receivers of each signal returned, and the log."""

    def retire_there(variant, **more):
        database = {name: connection.settings_dict[name] for name in ("ENGINE", "NAME", "USER", "HOST", "OPTIONS")}
        changed = {
            "DATABASES": {"default": {**database, "NAME": str(database["NAME"])}},
            "AI_EXTENSIONS": settings.AI_EXTENSIONS,
            **more,
        }
        done = subprocess.run(
            [sys.executable, SCRIPT, json.dumps(changed), variant, str(learner.pk)],
            env={**os.environ, "PYTHONPATH": str(site.REPO), "DJANGO_SETTINGS_MODULE": "tests.settings"},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout), done.stderr

    return retire_there


@pytest.mark.parametrize(("variant", "receivers"), [("lms", 1), ("cms", 0)])
def test_the_plugin_manager_connects_it_to_the_platforms_signals(
    chats, responses, learner, in_the_platform, variant, receivers
):
    answers, _log = in_the_platform(variant)
    assert {name: len(returned) for name, returned in answers.items()} == {
        "USER_RETIRE_MAILINGS": 0,
        "USER_RETIRE_LMS_MISC": receivers,
        "USER_RETIRE_LMS_CRITICAL": receivers,
    }
    assert kept(learner) == ((0, 0) if receivers else (1, 4))
    assert len(responses.memory.responses) == (2 if receivers else 4)


def test_without_a_broker_the_log_says_what_is_left(chats, responses, learner, in_the_platform):
    _answers, log = in_the_platform("lms", CELERY_TASK_ALWAYS_EAGER=False, CELERY_BROKER_URL="redis://127.0.0.1:1/0")
    assert kept(learner) == (0, 0)
    assert len(responses.memory.responses) == 4
    assert "retirement.thread.left provider=default response=resp_" in log
    assert "code=no_broker" in log
