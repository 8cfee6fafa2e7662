"""What is refused costs next to nothing: no conversation is stored, and the ledger counts rather than lists."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from submissions.models import Submission

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.ledger.audit import audit
from openedx_ai_extensions.models import AILimit, AIPause, AIWorkflowAsyncRun, AIWorkflowRun
from openedx_ai_extensions.reports.usage import By, Filters, report
from openedx_ai_extensions.tasks import run_workflow
from tests.api.conftest import HERE, Api, error_of
from tests.fakes.provider import Fail, Say
from tests.waiting import eventually
from tests.workflows.async_runs.conftest import use_broker
from tests.workflows.conversations.conftest import CHAT, Chat, chat
from tests.workflows.flashcards.conftest import FLASHCARDS

__all__ = ["chat", "use_broker"]

TIMES = 25


def questions(number: int = TIMES) -> list[str]:
    """Long ones, and never the same one again."""
    return [f"Question {each}: " + "why? " * 500 for each in range(number)]


def refused_in_report() -> int:
    today = timezone.localdate()
    lines = report(By.DAY, Filters(today - timedelta(days=1), today + timedelta(days=1)))
    return sum(line.of("refused") for line in lines)


def refusals() -> list[tuple[str, int]]:
    rows = AIWorkflowRun.objects.filter(outcome="refused").order_by("pk")
    return list(rows.values_list("refused_by", "times"))


@pytest.mark.parametrize(
    ("limit", "refused_by"),
    [
        ({"per": "person", "period": "month", "requests": 0}, "person/month/requests"),
        ({"per": "person", "period": "month", "tokens": 300}, "person/month/tokens"),
        ({"per": "provider", "period": "month", "requests": 0}, "provider/month/requests"),
        ({"per": "site", "period": "month", "tokens": 300}, "site/month/tokens"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_chat_over_the_limit(chat: Chat, provider, settings, limit, refused_by):
    chat.answer("Hello")
    stored = Submission.objects.count()
    settings.AI_EXTENSIONS_LIMITS = [limit]
    for question in questions():
        assert error_of(chat.say(question)) == (429, "quota_exceeded")
    assert Submission.objects.count() == stored
    assert refusals() == [(refused_by, TIMES)]
    assert len(provider.requests) == 1
    assert refused_in_report() == TIMES
    settings.AI_EXTENSIONS_LIMITS = []
    assert chat.shown() == [("user", "Hello"), ("assistant", "Hello from the model.")]


def test_a_question_that_failed_is_not_stored_again_with_each_refusal(chat: Chat, provider, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    provider.then(Fail(500))
    assert chat.say("Why?").status_code == 503
    stored = Submission.objects.count()
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "month", "requests": 1}]
    for _time in range(TIMES):
        assert error_of(chat.say("Why?")) == (429, "quota_exceeded")
    assert Submission.objects.count() == stored
    settings.AI_EXTENSIONS_LIMITS = []
    assert chat.answer("Why?") == "Hello from the model."
    assert chat.shown() == [("user", "Why?"), ("assistant", "Hello from the model.")]


def test_what_a_resting_provider_is_not_asked_is_not_stored(chat: Chat, provider, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 1
    provider.fail(401)
    for question in questions(3):
        chat.say(question)
    asked, stored = len(provider.requests), Submission.objects.count()
    for question in questions():
        assert chat.say(question).status_code >= 500
    assert (len(provider.requests), Submission.objects.count()) == (asked, stored)


def test_a_pause_is_counted_too(chat: Chat):
    AIPause.objects.create()
    for question in questions():
        assert error_of(chat.say(question)) == (403, "permission_denied")
    ((refused_by, times),) = refusals()
    assert refused_by.startswith("pause/")
    assert times == TIMES
    assert not Submission.objects.exists()


def test_words_that_are_not_wanted(chat: Chat, provider, settings):
    """The first are the learner's own to see; a hundred more are not kept."""
    settings.AI_EXTENSIONS_MODERATORS = {"words": {"KIND": "words", "WORDS": ["kraxel"]}}
    settings.AI_EXTENSIONS_MODERATION = {"before": ["words"]}
    for question in questions():
        assert error_of(chat.say(f"kraxel {question}")) == (403, "permission_denied")
    assert Submission.objects.count() <= 6
    assert refusals() == [("moderation/words/before", TIMES)]
    assert chat.answer("Why green?") == "Hello from the model."
    assert chat.shown()[-2:] == [("user", "Why green?"), ("assistant", "Hello from the model.")]


def test_people_places_and_reasons_are_counted_apart(make_scope, provider, learner, author, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "month", "requests": 0}]
    make_scope(base_filepath=CHAT, slug="chat")
    for user in (learner, author):
        for question in questions(3):
            Chat(user).say(question)
    settings.AI_EXTENSIONS_LIMITS = [{"per": "site", "period": "month", "requests": 0}]
    Chat(learner).say("Why?")
    assert refusals() == [("person/month/requests", 3), ("person/month/requests", 3), ("site/month/requests", 1)]


def test_the_sums_agree_whenever_it_is_counted(chat: Chat, settings, monkeypatch):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "month", "requests": 0}]
    times = {name: getattr(counters, name) for name in ("MERGE_WINDOW", "COUNT_DELAY")}
    for _time in range(3):
        for question in questions(3):
            chat.say(question)
            counters.count()
        assert refused_in_report() == sum(times for _by, times in refusals())
        for name in times:
            monkeypatch.setattr(counters, name, timedelta(0))  # it is over
        counters.count()
        for name, length in times.items():
            monkeypatch.setattr(counters, name, length)
    assert [times for _by, times in refusals()] == [3, 3, 3]
    assert not AIWorkflowRun.objects.filter(is_counted=False).exists()
    assert refused_in_report() == 9
    assert {audited.differences for audited in audit(repair=False)} == {0}


def test_a_run_that_another_provider_could_do_is_no_refusal(chat: Chat, provider, settings):
    entry = settings.AI_EXTENSIONS["default"]
    settings.AI_EXTENSIONS = {"default": {**entry, "FALLBACKS": ["second"]}, "second": {**entry}}
    AILimit.objects.create(per="provider", period="month", provider="default", requests=0)
    settings.AI_EXTENSIONS_LIMITS = [{"per": "provider", "period": "month", "provider": "second", "requests": 2}]
    for question in questions(5):
        chat.say(question)
    assert AIWorkflowRun.objects.filter(outcome="completed").count() == 2
    assert sum(times for _by, times in refusals()) == 3


def slots(make_scope, number: int) -> list[dict[str, str]]:
    """So many widgets, each with a session of its own."""
    names = [f"slot-{each}" for each in range(number)]
    for name in names:
        make_scope(base_filepath=FLASHCARDS, slug=name, slot=name)
    return [{**HERE, "uiSlotSelectorId": name} for name in names]


def test_what_waits_in_the_background_counts(learner, make_scope, provider, settings, use_broker):
    use_broker("memory://")
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "month", "requests": 2}]
    api = Api(learner)
    answers = [api.run({"num_cards": 2}, action="run_async", context=here) for here in slots(make_scope, 6)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429, 429]
    assert error_of(answers[-1]) == (429, "quota_exceeded")
    assert AIWorkflowAsyncRun.objects.count() == 2
    assert refusals() == [("person/month/requests", 1)] * 4  # of four profiles


def test_a_person_has_a_few_at_once(learner, author, make_scope, provider, settings, use_broker):
    use_broker("memory://")
    settings.AI_EXTENSIONS_ASYNC_RUNS_PER_PERSON = 3
    places = slots(make_scope, 5)
    api = Api(learner)

    def begin(place) -> int:
        return api.run({"num_cards": 2}, action="run_async", context=place).status_code

    assert [begin(place) for place in places] == [200, 200, 200, 429, 429]
    assert begin(places[0]) == 200  # the same again: it goes on
    assert Api(author).run({"num_cards": 2}, action="run_async", context=places[0]).status_code == 200
    refusal = api.run({"num_cards": 2}, action="run_async", context=places[4])
    assert "3" in refusal.json()["error"]["message"]
    provider.then(Say('{"cards": [{"question": "A?", "answer": "B"}, {"question": "C?", "answer": "D"}]}'))
    run_workflow(AIWorkflowAsyncRun.objects.filter(session__user=learner).first().task_id)
    eventually(lambda: begin(places[4]) == 200)
