"""What is written in an exam reaches no model when a learner asks from elsewhere."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.models import AIPause
from openedx_ai_extensions.tools import Toolbox, ToolContext
from openedx_ai_extensions.tools.registry import find_tool
from tests.fakes.openedx_platform import installed, world
from tests.rules.conftest import COURSE_ID, FINAL, HERE, TIMED, key

COURSE = CourseKey.from_string(COURSE_ID)


@pytest.fixture(params=["standalone", "lms"])
def _backend(request, settings, course_folder):
    if request.param == "standalone":
        yield
        return
    with installed() as world:
        world.add_course(course_folder)
        world.enrolled.add(("learner", COURSE))
        world.staff.add(("author", COURSE))
        settings.AI_EXTENSIONS_BACKEND = "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform"
        yield


@pytest.fixture(params=["by its type", "by a pause of its section", "by a pause of its text"])
def _marked(request, settings, _backend, db):
    if request.param == "by its type":
        settings.AI_EXTENSIONS_EXAM_FORMATS = ["Final Exam"]
    elif request.param == "by a pause of its section":
        AIPause.objects.create(location_regex="sequential.block@s2$")
    else:
        AIPause.objects.create(location_regex="html.block@h3$")


def sent(provider) -> str:
    return json.dumps(provider.requests[-1]["messages"])


@pytest.mark.usefixtures("_marked")
@pytest.mark.parametrize(("person", "reads_it"), [("as_learner", False), ("as_author", True)])
def test_content_up_to_the_current_unit(request, make_scope, provider, person, reads_it):
    config = {"retrieval_mode": "up_to_current_unit"}
    make_scope(patch={"processor_config": {"OpenEdXProcessor": config}}, course_id=COURSE_ID)
    provider.reply("Green.")
    api = request.getfixturevalue(person)
    assert api.run("Why?", context={**HERE, "locationId": key("vertical/u4")}).status_code == 200
    assert "Text 1" in sent(provider)
    assert "Text 4" in sent(provider)
    assert (FINAL in sent(provider)) is reads_it
    assert TIMED not in sent(provider)


@pytest.mark.usefixtures("_marked")
@pytest.mark.django_db(transaction=True)
def test_a_tool_that_is_sent_there(learner):
    context = ToolContext(learner, COURSE, UsageKey.from_string(key("vertical/u4")), get_platform())
    box = Toolbox([find_tool("get_location_content")], context)
    for place in ("html/h3", "vertical/u3", "sequential/s2", "chapter/ch1", "course/course", "html/h5"):
        for mode in ("unit", "sequence"):
            result = box.call("get_location_content", json.dumps({"location_id": key(place), "retrieval_mode": mode}))
            assert FINAL not in result.text, place
            assert TIMED not in result.text, place
            assert ("Text 1" in result.text) == (place in {"chapter/ch1", "course/course"})


@pytest.mark.usefixtures("_marked")
def test_in_the_exam_itself(as_learner, make_scope, provider):
    make_scope(course_id=COURSE_ID)
    assert as_learner.run("Why?", context={**HERE, "locationId": key("html/h3")}).status_code == 403
    assert not provider.requests


@pytest.mark.parametrize("_backend", ["lms"], indirect=True)
@pytest.mark.usefixtures("_backend")
def test_an_attempt_in_another_course_locks_this_one(as_learner, learner, make_scope, provider, settings):
    settings.FEATURES = {"ENABLE_SPECIAL_EXAMS": True}
    provider.reply("Green.")
    make_scope(course_id=COURSE_ID)
    assert as_learner.run("Why?", context=HERE).status_code == 200
    world.current.attempts.add((learner.pk, "block-v1:A+B+c+type@sequential+block@exam"))
    error = as_learner.run("Why?", context=HERE).json()["error"]
    assert (error["code"], error["reason"]) == ("permission_denied", "exam")
    world.current.attempts.clear()
    assert as_learner.run("Why?", context=HERE).status_code == 200


@pytest.mark.usefixtures("_marked", "learner")
def test_staff_are_told_why_it_is_not_read():
    out = StringIO()
    arguments = [key("vertical/u4"), "--user", "learner", "--retrieval-mode", "up_to_current_unit"]
    call_command("ai_course_text", *arguments, stdout=out)
    assert FINAL not in out.getvalue()
    (line,) = [line for line in out.getvalue().splitlines() if " exam" in line and "block@" in line]
    assert "It is in an exam, or in a place where AI is paused." in line
