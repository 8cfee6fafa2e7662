"""When a pause holds, when it ends, and how soon that is known."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

import pytest
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from openedx_ai_extensions.models import AIPause, AIWorkflowRun
from openedx_ai_extensions.policy import guard, pauses
from openedx_ai_extensions.policy.pauses import Pause, resumes_at
from openedx_ai_extensions.tools import ToolContext, llm_tool, registry
from tests.api.conftest import text_of
from tests.fakes.steps import CallTools, Say, ToolCall
from tests.rules.conftest import HERE, hours
from tests.waiting import eventually

NIGHT = {"from_time": clock_time(22), "to_time": clock_time(6)}
FRIDAY, WEEKEND = "4", "56"


def pause(**fields) -> Pause:
    return Pause.of(AIPause(pk=1, **fields))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.get_default_timezone())


# 2026-11-20 is a Friday.
@pytest.mark.parametrize(
    ("fields", "now", "until"),
    [
        pytest.param({}, "2026-11-20T12:00", None, id="until further notice"),
        pytest.param({"ends_at": "2026-11-21T00:00"}, "2026-11-20T12:00", "2026-11-21T00:00", id="until an end"),
        pytest.param({"ends_at": "2026-11-20T00:00"}, "2026-11-20T12:00", False, id="it is over"),
        pytest.param({"starts_at": "2026-11-21T00:00"}, "2026-11-20T12:00", False, id="it has not begun"),
        pytest.param(NIGHT, "2026-11-20T21:59", False, id="before the night"),
        pytest.param(NIGHT, "2026-11-20T22:00", "2026-11-21T06:00", id="over midnight: the evening"),
        pytest.param(NIGHT, "2026-11-20T05:59", "2026-11-20T06:00", id="over midnight: the morning"),
        pytest.param(NIGHT, "2026-11-20T06:00", False, id="after the night"),
        pytest.param({**NIGHT, "weekdays": FRIDAY}, "2026-11-21T05:00", "2026-11-21T06:00", id="Friday's, on Saturday"),
        pytest.param({**NIGHT, "weekdays": FRIDAY}, "2026-11-20T05:00", False, id="not Thursday's"),
        pytest.param({"weekdays": WEEKEND}, "2026-11-21T12:00", "2026-11-23T00:00", id="a whole weekend"),
        pytest.param({"weekdays": WEEKEND}, "2026-11-20T23:59", False, id="before the weekend"),
        pytest.param({"weekdays": "0123456"}, "2026-11-20T23:59", None, id="every day, all day"),
        pytest.param({**NIGHT, "ends_at": "2026-11-20T23:00"}, "2026-11-20T22:30", "2026-11-20T23:00", id="last night"),
        pytest.param(
            {"from_time": clock_time(9), "to_time": clock_time(9)}, "2026-11-20T08:00", None, id="from nine to nine"
        ),
    ],
)  # fmt: skip
def test_hours(fields, now, until):
    fields = {name: at(value) if name.endswith("_at") else value for name, value in fields.items()}
    rest = pause(**fields)
    assert rest.is_active_at(at(now)) is (until is not False)
    if until is not False:
        assert resumes_at([rest], at(now)) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("zone", "now", "holds", "until"),
    [
        ("Asia/Tokyo", "2026-11-20T13:30:00+00:00", True, "2026-11-20T21:00:00+00:00"),
        ("America/New_York", "2026-11-20T13:30:00+00:00", False, ""),
        # In Berlin the night to 29 March 2026 is an hour shorter, that to 25 October an hour longer.
        ("Europe/Berlin", "2026-03-28T21:30:00+00:00", True, "2026-03-29T04:00:00+00:00"),
        ("Europe/Berlin", "2026-10-24T20:30:00+00:00", True, "2026-10-25T05:00:00+00:00"),
    ],
)
def test_the_site_s_time_zone(settings, zone, now, holds, until):
    settings.TIME_ZONE = zone
    moment = datetime.fromisoformat(now)
    assert pause(**NIGHT).is_active_at(moment) is holds
    if holds:
        assert resumes_at([pause(**NIGHT)], moment).astimezone(UTC) == datetime.fromisoformat(until)


def test_one_that_ends_where_another_begins():
    evening = pause(from_time=clock_time(18), to_time=clock_time(22))
    assert resumes_at([evening, pause(**NIGHT)], at("2026-11-20T19:00")) == at("2026-11-21T06:00")
    assert resumes_at([evening, pause()], at("2026-11-20T19:00")) is None


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"location_regex": "("}, "location_regex"),
        ({"from_time": clock_time(1)}, "to_time"),
        ({"weekdays": "7"}, "weekdays"),
        ({"starts_at": datetime(2026, 1, 2, tzinfo=UTC), "ends_at": datetime(2026, 1, 1, tzinfo=UTC)}, "ends_at"),
    ],
)
@pytest.mark.django_db
def test_what_makes_no_sense_is_not_saved(fields, wrong):
    with pytest.raises(ValidationError) as caught:
        AIPause.objects.create(**fields)
    assert list(caught.value.message_dict) == [wrong]


def test_it_holds_and_ends_at_once(as_learner, scope):
    row = AIPause.objects.create()
    assert as_learner.run("Why?", context=HERE).status_code == 403
    row.enabled = False
    row.save()
    assert as_learner.run("Why?", context=HERE).status_code == 200
    AIPause.objects.update(enabled=True)
    assert as_learner.run("Why?", context=HERE).status_code == 403
    AIPause.objects.all().delete()
    assert as_learner.run("Why?", context=HERE).status_code == 200


def test_a_process_that_hears_of_nothing_looks_again_in_seconds(as_learner, scope, monkeypatch):
    """As where processes share no cache: the row changes, and nobody tells this process."""
    monkeypatch.setattr(pauses, "MAX_CACHE_SECONDS", 1.0)
    AIPause.objects.create(enabled=False)
    assert as_learner.run("Why?", context=HERE).status_code == 200
    QuerySet(AIPause).update(enabled=True)
    eventually(lambda: as_learner.run("Why?", context=HERE).status_code == 403)


def test_in_quiet_hours_a_person_reads_when_ai_is_back(as_learner, scope):
    AIPause.objects.create(**hours(1, 2))
    error = as_learner.run("Why?", context=HERE).json()["error"]
    resumes = datetime.fromisoformat(error["resumes_at"])
    assert timedelta(hours=1.9) < resumes - timezone.now() <= timedelta(hours=2)
    assert error["message"].startswith("AI is not available here at the moment. It will be back ")


@pytest.fixture
def _quick(monkeypatch):
    monkeypatch.setattr(guard, "RECHECK_SECONDS", 0.3)


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream"])
@pytest.mark.parametrize("base", ["base/summary.json5", "base/chat.json5"])
def test_an_answer_under_way_is_stopped(as_learner, make_scope, provider, accept, base):
    provider.reply([f"word{number} " for number in range(600)], delay=0.05)
    make_scope(base_filepath=base, course_id=None)
    response = as_learner.run("Why?", context=HERE, headers={"Accept": accept})
    chunks = iter(response.streaming_content)
    first = next(chunks)
    AIPause.objects.create(message="Exams begin. Good luck!")
    rest = (first + b"".join(chunks)).decode()
    assert "word599" not in rest
    assert "Exams begin. Good luck!" in rest.rpartition("word")[2]
    if accept == "text/plain":
        assert '||{"error_in_stream": true, "code": "streaming_failed", "message": "Exams begin. Good luck!"}||' in rest
    else:
        assert "event: error" in rest
        assert "event: done" not in rest
    run = AIWorkflowRun.objects.get()
    assert (run.outcome, run.error_code, run.calls) == ("refused", "permission_denied", 1)
    assert run.refused_by.startswith("pause/")
    assert run.completion_tokens > 0


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.django_db(transaction=True)
def test_no_tool_and_no_round_after_the_pause(as_learner, make_scope, provider, monkeypatch, streams):
    """The model asks for two tools, and while the first runs AI is paused."""
    monkeypatch.setattr(registry, "_tools", dict(registry._tools))
    rung = []

    @llm_tool
    def ring(context: ToolContext) -> str:
        """Ring the bell: lessons are over."""
        rung.append(AIPause.objects.create().pk)
        time.sleep(0.4)
        return "Ding."

    config = {"enabled_tools": ["ring"], "stream": streams}
    make_scope(patch={"processor_config": {"LLMProcessor": config}}, course_id=None)
    provider.then(CallTools(ToolCall("ring"), ToolCall("ring")), Say("They go home."))
    response = as_learner.run("Ring!", context=HERE)
    text = text_of(response) if response.streaming else response.content.decode()
    assert "They go home." not in text
    assert "not available" in text
    assert (len(rung), len(provider.requests)) == (1, 1)
    assert AIWorkflowRun.objects.get().outcome == "refused"
