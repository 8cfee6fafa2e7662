"""A limit holds at every door: REST, background, events, rounds with tools, and code that asks by itself."""

from __future__ import annotations

import pytest
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.exceptions import QuotaExceeded
from openedx_ai_extensions.models import AIWorkflowAsyncRun, AIWorkflowRun
from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.tasks import run_workflow
from openedx_ai_extensions.tools import ToolContext
from tests.api.conftest import error_of
from tests.conftest import COURSE_ID, UNIT_ID
from tests.events.conftest import consuming, outcome, request_for
from tests.fakes.provider import CallTools, Say, ToolCall
from tests.workflows.async_runs.conftest import use_broker

__all__ = ["consuming", "outcome", "use_broker"]

PERS = ["person", "course", "profile", "provider", "site"]
WITH_TOOL = {"processor_config": {"LLMProcessor": {"stream": False, "enabled_tools": ["roll_dice"]}}}
USAGE = {"prompt_tokens": 2000, "completion_tokens": 500, "total_tokens": 2500}


def limit(settings, per: str, **allowed: int) -> None:
    settings.AI_EXTENSIONS_LIMITS = [{"per": per, "period": "month", **allowed}]


@pytest.mark.parametrize("per", PERS)
def test_events(learner, make_scope, provider, settings, consuming, outcome, per):
    make_scope()
    limit(settings, per, requests=1)
    assert outcome(request_for(learner)) == "completed"
    assert outcome(request_for(learner)) == "quota_exceeded"
    assert len(provider.requests) == 1


@pytest.mark.parametrize("per", PERS)
def test_work_in_the_background_that_waited(as_learner, make_scope, provider, settings, use_broker, per):
    make_scope(base_filepath="base/chat.json5")
    use_broker("memory://")
    task_id = as_learner.run("Why?", action="run_async").json()["task_id"]
    limit(settings, per, requests=0)
    run_workflow(task_id)
    row = AIWorkflowAsyncRun.objects.get(task_id=task_id)
    assert (row.status, row.code) == ("failed", "quota_exceeded")
    assert row.error
    assert AIWorkflowRun.objects.get().refused_by == f"{per}/month/requests"
    assert not provider.requests


@pytest.mark.parametrize("per", PERS)
def test_each_round_with_tools(as_learner, make_scope, provider, settings, per):
    make_scope(patch=WITH_TOOL)
    limit(settings, per, tokens=3500)
    provider.reply("", usage=USAGE)
    provider.then(CallTools(ToolCall("roll_dice")), Say("Six."))
    assert error_of(as_learner.run("Roll!")) == (429, "quota_exceeded")
    run = AIWorkflowRun.objects.get()
    assert (run.outcome, run.tokens, run.calls) == ("refused", 2500, 1)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("per", ["person", "course", "provider", "site"])
def test_code_that_asks_a_model_outside_of_workflows(learner, provider, settings, db, per):
    """A tool, or another part of an extension: its call is a run of its own."""
    where = ToolContext(learner, CourseKey.from_string(COURSE_ID), UsageKey.from_string(UNIT_ID), get_platform())

    def ask() -> None:
        LLMProcessor({"LLMProcessor": {"prompt": "Be short.", "stream": False}}, tool_context=where).process(
            input_data="Why?"
        )

    limit(settings, per, requests=1)
    ask()
    with pytest.raises(QuotaExceeded):
        ask()
    run = AIWorkflowRun.objects.filter(outcome="completed").get()
    assert (run.user, str(run.course_id), run.tokens) == (learner, COURSE_ID, 16)
    assert len(provider.requests) == 1
