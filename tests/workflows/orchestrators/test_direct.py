"""DirectLLMResponse from a resolved scope to a real HTTP provider, with what is recorded."""

import pytest

from openedx_ai_extensions.exceptions import ServiceUnavailable, StreamInterrupted
from openedx_ai_extensions.models import AIWorkflowScope, PromptTemplate
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}


@pytest.fixture
def run(provider, make_scope, learner):
    def execute(action="run", user_input=None, patch=None, **context):
        make_scope(patch=patch)
        scope = AIWorkflowScope.get_profile(course_id=COURSE_ID, location_id=UNIT_ID, ui_slot_selector_id=SLOT)
        running_context = {"course_id": COURSE_ID, "location_id": UNIT_ID, "run_id": "r1", **context}
        return scope.execute(user_input=user_input, action=action, user=learner, running_context=running_context)

    return execute


@pytest.mark.parametrize("action", ["run", "simple_button_assistance"])
@pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])
def test_an_answer_is_given_and_recorded_once(run, provider, tracked, learner, action, streams):
    provider.reply(["Plants ", "make ", "sugar."], usage=USAGE)
    outcome = run(action, accepts_stream=streams)
    text = b"".join(outcome).decode() if streams else outcome["response"]
    assert text == "Plants make sugar."
    [event] = tracked
    assert event["name"] == "openedx.ai.workflow.completed"
    data = event["data"]
    assert (data["action"], data["profile_name"], data["course_id"], data["location_id"], data["user_id"]) == (
        action, "summary", COURSE_ID, UNIT_ID, learner.pk,
    )  # fmt: skip
    assert {key: data["usage"][key] for key in USAGE} == USAGE


@pytest.mark.parametrize("by", ["slug", "uuid"])
def test_the_prompt_template_is_recorded_by_its_slug(run, provider, tracked, by):
    template = PromptTemplate.objects.create(slug="tutor", body="You are a tutor.")
    reference = str(getattr(template, by))
    run(accepts_stream=False, patch={"processor_config": {"LLMProcessor": {"prompt_template": reference}}})
    assert tracked[0]["data"]["prompt_template_slug"] == "tutor"


def test_the_model_reads_the_unit(run, provider):
    provider.reply("ok")
    run(accepts_stream=False)
    assert "A meal made of light" in str(provider.requests[-1])


def test_a_profile_without_course_content_sends_none(run, provider):
    provider.reply("ok")
    run(accepts_stream=False, patch={"processor_config": {"OpenEdXProcessor": None}})
    assert "A meal made of light" not in str(provider.requests[-1])


def test_an_override_of_the_content_is_used(run, provider):
    provider.reply("ok")
    run(accepts_stream=False, patch={"orchestrator_class": "tests.workflows.orchestrators.samples.ShortAnswer"})
    assert "Only this sentence." in str(provider.requests[-1])


def test_a_failure_before_the_first_text_is_an_error_and_records_nothing(run, provider, tracked, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    provider.fail(500)
    with pytest.raises(ServiceUnavailable):
        run()
    assert tracked == []


def test_a_broken_stream_gives_what_came_and_records_nothing(run, provider, tracked):
    provider.reply(["one ", "two ", "three "])
    provider.cut_after(2)
    received = []
    stream = run()
    with pytest.raises(StreamInterrupted):
        received.extend(stream)
    assert b"".join(received).startswith(b"one ")
    assert tracked == []


def test_a_reader_who_leaves_records_nothing(run, provider, tracked):
    provider.reply(["one "] * 1000, delay=0.2)
    stream = run()
    next(stream)
    stream.close()
    assert list(stream) == []
    assert tracked == []
