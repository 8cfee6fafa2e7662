"""What is tracked when a workflow has answered, whether or not anyone routes it on."""

from __future__ import annotations

import subprocess
import sys

import pytest
from eventtracking import tracker

from tests.conftest import COURSE_ID, UNIT_ID
from tests.waiting import PATIENCE
from tests.xapi.conftest import USAGE

NAME = "openedx.ai.workflow.completed"
BROKEN = {
    "a backend that raises": {"a_broken_one": {"ENGINE": "tests.fakes.tracking.BrokenBackend"}},
    "a processor that raises": {
        "a_broken_one": {
            "ENGINE": "eventtracking.backends.routing.RoutingBackend",
            "OPTIONS": {"processors": [{"ENGINE": "tests.fakes.tracking.BrokenProcessor"}]},
        }
    },
}
# A whole site of its own, as neither event routing nor its settings may have been loaded.
WITHOUT_EVENT_ROUTING = """
import logging, sys
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-tests",
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "submissions",
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "eventtracking.django",
        "openedx_ai_extensions.apps.OpenEdXAIExtensionsConfig",
    ],
    EVENT_TRACKING_ENABLED=True,
    EVENT_TRACKING_BACKENDS={
        "log": {"ENGINE": "eventtracking.backends.logger.LoggerBackend", "OPTIONS": {"name": "tracking"}}
    },
)
django.setup()
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(name)s %(message)s")

from django.contrib.auth.models import User
from openedx_ai_extensions.xapi.constants import EVENT_COMPLETED
from openedx_ai_extensions.xapi.events import emit

emit(
    EVENT_COMPLETED,
    user=User(pk=5, username="learner"),
    workflow_id="7",
    action="run",
    course_id=None,
    profile_name="summary",
    location_id=None,
    usage={},
)
print([name for name in sys.modules if name.startswith("event_routing_backends")])
"""


def test_a_run_is_tracked_once_with_who_what_and_where(track, emit, learner):
    recorded = track({})
    emit()
    (event,) = recorded
    assert event["name"] == NAME
    assert event["data"] == {
        "workflow_id": "7",
        "action": "run",
        "course_id": COURSE_ID,
        "profile_name": "summary",
        "location_id": UNIT_ID,
        "user_id": learner.pk,
        "usage": USAGE,
    }
    assert event["context"] == {
        "user_id": learner.pk,
        "username": "learner",
        "course_id": COURSE_ID,
        "org_id": "OpenedX",
    }


def test_the_prompt_template_is_named_when_there_is_one(track, emit):
    recorded = track({})
    emit(prompt_template_slug="kind-tutor")
    assert recorded[0]["data"]["prompt_template_slug"] == "kind-tutor"


def test_the_requests_own_context_is_kept_and_completed(track, emit, learner):
    recorded = track({})
    with tracker.get_tracker().context("request", {"session": "s3ss10n", "user_id": "", "course_id": ""}):
        emit()
        assert tracker.get_tracker().resolve_context() == {"session": "s3ss10n", "user_id": "", "course_id": ""}
    context = recorded[0]["context"]
    assert (context["session"], context["user_id"], context["course_id"]) == ("s3ss10n", learner.pk, COURSE_ID)


def test_a_run_outside_a_course_names_none(track, emit):
    recorded = track({})
    emit(course_id=None, location_id=None)
    assert recorded[0]["data"]["course_id"] is None
    assert not {"course_id", "org_id"} & set(recorded[0]["context"])


@pytest.mark.parametrize("backends", [pytest.param(backends, id=name) for name, backends in BROKEN.items()])
def test_what_breaks_disturbs_neither_the_caller_nor_other_backends(track, emit, backends):
    recorded = track(backends)
    emit()
    assert [event["name"] for event in recorded] == [NAME]


def test_a_message_broker_that_is_down_does_not_disturb_the_caller(lrs, emit, queue_at):
    queue_at("redis://127.0.0.1:1/0")
    emit()
    assert [event["name"] for event in lrs.tracked] == [NAME]
    assert lrs.requests == []


def test_a_site_that_tracks_nothing_still_answers(emit, monkeypatch):
    monkeypatch.delitem(tracker.TRACKERS, "default")
    assert emit() is None


def test_without_event_routing_events_are_only_tracked():
    site = subprocess.run(
        [sys.executable, "-c", WITHOUT_EVENT_ROUTING], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    logged, loaded = site.stdout.splitlines()
    assert logged.startswith('tracking {"name": "openedx.ai.workflow.completed"')
    assert loaded == "[]"
    assert site.stderr == ""
