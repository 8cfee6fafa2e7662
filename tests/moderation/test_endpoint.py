"""A provider's moderation endpoint as a moderator: what it gets, how it is waited for, and what it costs."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from openedx_ai_extensions.models import AIWorkflowRun
from tests.api.conftest import error_of, text_of
from tests.conftest import SECRET
from tests.fakes.steps import Say
from tests.moderation.conftest import JSON, the_run
from tests.moderation.endpoint import FLAGGED
from tests.workflows.flashcards.conftest import FLASHCARDS, cards

SENTENCE = "Leaves are green because of chlorophyll, which takes in red light. "


def configure(settings, **options) -> None:
    settings.AI_EXTENSIONS_MODERATORS = {"endpoint": {"KIND": "provider", "PROVIDER": "moderation", **options}}


def test_it_sees_what_the_person_said_and_the_whole_answer(as_learner, make_scope, provider, endpoint):
    make_scope()
    provider.reply("Because.")
    assert as_learner.run("Why?", headers=JSON).json()["response"] == "Because."
    assert endpoint.seen == ["Why?", "Because."]
    assert set(endpoint.models) == {"omni-moderation-latest"}


def test_what_it_flags_is_refused(as_learner, make_scope, provider, endpoint):
    make_scope()
    assert error_of(as_learner.run(f"You {FLAGGED}")) == (403, "permission_denied")
    provider.reply(f"No, you {FLAGGED}.")
    assert error_of(as_learner.run("Why?", headers=JSON)) == (403, "permission_denied")
    runs = AIWorkflowRun.objects.order_by("id").values_list("outcome", "refused_by")
    assert list(runs) == [("refused", "moderation/endpoint/before"), ("refused", "moderation/endpoint/after")]


def test_all_texts_of_a_structured_answer_are_seen(as_learner, make_scope, provider, endpoint):
    make_scope(base_filepath=FLASHCARDS, slug="flashcards")
    provider.then(Say(cards("What is light?", "What is sugar?")))
    assert as_learner.run({}).status_code == 200
    (seen,) = endpoint.seen
    assert seen.split("\u2029") == ["What is light?", "Answer to What is light?", "What is sugar?",
                                    "Answer to What is sugar?"]  # fmt: skip


def test_a_stream_is_looked_at_in_growing_passages(as_learner, make_scope, provider, endpoint):
    make_scope()
    answer = SENTENCE * 30 + "And so on"
    provider.reply([answer[start : start + 7] for start in range(0, len(answer), 7)])
    response = as_learner.run("Why?")
    assert text_of(response) == answer
    passages = endpoint.seen[1:]
    assert len(passages) <= 8
    assert all(passage in answer for passage in passages)
    assert passages[-1].endswith("And so on")


def test_nothing_of_a_flagged_passage_is_shown(as_learner, make_scope, provider, endpoint):
    make_scope()
    provider.reply([SENTENCE, SENTENCE, SENTENCE, f"You {FLAGGED}. ", SENTENCE * 3])
    body = text_of(as_learner.run("Why?"))
    shown, _, marker = body.partition("||")
    assert "streaming_failed" in marker
    assert (SENTENCE * 3).startswith(shown)
    assert FLAGGED not in body
    assert the_run().outcome == "refused"


def test_a_thing_split_over_two_passages_is_seen_whole(as_learner, make_scope, provider, endpoint):
    make_scope()
    provider.reply([SENTENCE, FLAGGED[:3], FLAGGED[3:], " indeed"])
    assert "error_in_stream" in text_of(as_learner.run("Why?"))


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 401}, {"delay": 30.0}], ids=["it fails", "the key is wrong", "it is slow"]
)
@pytest.mark.parametrize("direction", ["before", "after"])
@pytest.mark.parametrize("on_failure", [None, "refuse", "allow"])
def test_when_it_cannot_say(as_learner, make_scope, provider, endpoint, settings, fault, direction, on_failure):
    make_scope()
    configure(settings, TIMEOUT=0.3, **({"ON_FAILURE": on_failure} if on_failure else {}))
    settings.AI_EXTENSIONS_MODERATION = {direction: ["endpoint"]}
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    provider.reply("Because.")
    for name, value in fault.items():
        setattr(endpoint, name, value)
    response = as_learner.run("Why?", headers=JSON)
    if on_failure == "allow":
        assert response.json()["response"] == "Because."
        return
    assert error_of(response) == (503, "service_unavailable")
    assert the_run().outcome == "failed"
    assert bool(provider.requests) is (direction == "after")


def test_tokens_that_it_reports_are_in_the_account_and_in_the_event(
    as_learner, make_scope, provider, endpoint, settings, tracked
):
    make_scope()
    entries = settings.AI_EXTENSIONS
    entries["default"]["PRICES"] = {"INPUT": 2, "OUTPUT": 8}
    entries["moderation"]["PRICES"] = {"INPUT": 100, "OUTPUT": 0}
    settings.AI_EXTENSIONS = dict(entries)
    endpoint.usage = {"prompt_tokens": 5, "total_tokens": 5}
    provider.reply("Because.", usage={"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010})
    as_learner.run("Why?", headers=JSON)
    run = the_run()
    assert (run.prompt_tokens, run.completion_tokens, run.calls) == (1010, 10, 1)
    assert run.cost_micros == 2080 + 2 * 500
    (event,) = tracked
    assert event["data"]["usage"] == {"prompt_tokens": 1010, "completion_tokens": 10, "total_tokens": 1020}


def test_who_has_used_all_up_is_not_looked_at(as_learner, make_scope, provider, endpoint, settings):
    make_scope()
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 0}]
    assert error_of(as_learner.run("Why?")) == (429, "quota_exceeded")
    assert not endpoint.seen


def test_neither_key_nor_text_is_in_the_log(as_learner, make_scope, provider, endpoint, caplog):
    caplog.set_level("DEBUG")
    make_scope()
    endpoint.status = 401
    as_learner.run("Why apples?")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("openedx_ai_extensions")]
    assert any(line.startswith("moderation.failed") for line in ours)
    assert SECRET not in "".join(ours)
    assert "apples" not in "".join(ours)


def test_a_site_that_is_well_configured_passes_the_checks(db, endpoint, settings):
    moderators = settings.AI_EXTENSIONS_MODERATORS
    settings.AI_EXTENSIONS_MODERATION = {**settings.AI_EXTENSIONS_MODERATION, "MODERATORS": moderators}
    del settings.AI_EXTENSIONS_MODERATORS
    call_command("check", fail_level="WARNING", tag=["ai_extensions"])
