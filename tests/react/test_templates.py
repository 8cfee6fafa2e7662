"""Every template that ships, in the published React package: no red box, and every flow to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as site

from openedx_ai_extensions.contrib.upgrade.configuration import TEMPLATES
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.execution import background
from openedx_ai_extensions.models import AIWorkflowAsyncRun
from openedx_ai_extensions.tasks import run_workflow
from openedx_ai_extensions.workflows import template_utils
from tests.conftest import SECRET
from tests.fakes.steps import Say
from tests.react.client import (
    BOX,
    CARDS,
    CHAT,
    ENOUGH,
    PAIRS,
    QUIZ,
    REQUESTS,
    RESPONSES,
    Failed,
    ReactPackage,
    RedBox,
)
from tests.react.keys import camel_cased
from tests.workflows.educator.conftest import five, library, reply
from tests.workflows.educator.library import KEY
from tests.workflows.flashcards.conftest import cards

__all__ = ["library"]

DIRECTORIES = (site.REPO / "templates", conf.BUILT_IN_TEMPLATE_DIR)
PATHS = sorted(file.relative_to(folder).as_posix() for folder in DIRECTORIES for file in folder.rglob("*.json*"))
# Those that need an extension: only looked at.
EXAMPLES = (site.REPO / "docs" / "examples" / "glossary", site.REPO / "tests" / "sample_extension")
FILES = sorted(file for folder in (*DIRECTORIES, *EXAMPLES) for file in folder.rglob("*.json5"))
EXPECTED = {
    "ThreadedLLMResponse": CHAT,
    "EducatorAssistantOrchestrator": QUIZ,
    "FlashCardsOrchestrator": CARDS,
}
# Keys that the package does not read.
OUR_OWN = {
    "placeholder": str,
    "greeting": str,
    "starters": list,
    "selectionText": str,
    "keepAnswer": bool,
    "feedback": bool,
    "trackFeedback": bool,
}


@pytest.fixture
def providers(provider, settings):
    settings.WORKFLOW_TEMPLATE_DIRS = list(DIRECTORIES)
    settings.AI_EXTENSIONS = {
        name: {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": provider.base_url}
        for name in ("default", "openai", "anthropic", "local")
    }
    return provider


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(site.REPO).as_posix())
def test_components_and_their_keys_are_the_published_ones(file):
    template = template_utils.parse_json5_string(file.read_text("utf-8"))
    components = template["actuator_config"]["UIComponents"]
    assert (components["request"]["component"], components["response"]["component"]) in PAIRS
    for half, registry in (("request", REQUESTS), ("response", RESPONSES)):
        known = {**OUR_OWN, **registry[components[half]["component"]]}
        for key, value in components[half]["config"].items():
            assert isinstance(value, known[key])


@pytest.mark.parametrize("path", sorted(set(TEMPLATES.values())))
def test_what_an_upgrade_leads_to_has_the_components_that_the_package_had(path):
    template = template_utils.load_template(path)
    components = template["actuator_config"]["UIComponents"]
    names = (components["request"]["component"], components["response"]["component"])
    assert names == EXPECTED.get(template["orchestrator_class"], BOX)


def use_a_box(package: ReactPackage, provider: Any) -> None:
    provider.reply(["Plants ", "make sugar."])
    for _press in range(2):
        assert package.run().strip()


def use_the_chat(package: ReactPackage, provider: Any) -> None:
    provider.reply(["Hello. ", "I am a tutor."])
    assert package.run() == "Hello. I am a tutor."
    said = ["Hello. I am a tutor."]
    for number in range(7):
        provider.reply(f"Answer {number}.")
        assert package.run(f"Question {number}?") == f"Answer {number}."
        said += [f"Question {number}?", f"Answer {number}."]
    # Opened again, and scrolled back to the beginning.
    for ask in (package.run, lambda: package.ask("get_current_session_response")["response"]):
        page = camel_cased(json.loads(ask()))
        seen = list(page["messages"])
        while page["metadata"]["hasMore"]:
            told = json.dumps({"current_messages": len(seen)})
            page = camel_cased(json.loads(package.ask("lazy_load_chat_history", told)["response"]))
            seen = [*page["messages"], *seen]
        assert [message["content"] for message in seen] == said
    assert package.ask("clear_session")["status"] == "session_cleared"
    provider.reply("Hello again.")
    assert package.run() == "Hello again."


def use_the_cards(package: ReactPackage, provider: Any) -> None:
    assert package.ask("get_current_session_response") == {"cards": None, "status": "no_flashcards"}
    provider.then(Say(cards("One?", "Two?")))
    made = package.run_in_background({"num_cards": 2})
    assert [card["question"] for card in made] == ["One?", "Two?"]
    reviewed = [
        {
            "id": card["id"], "question": card["question"], "answer": card["answer"], "interval": 6,
            "next_review_time": 1_700_000_000_000, "ease_factor": 2.6, "repetitions": 2,
            "last_reviewed_at": 1_690_000_000_000,
        }
        for card in made
    ]  # fmt: skip
    assert package.ask("save", {"card_stack": {"cards": reviewed}})["status"] == "saved"
    found = package.ask("get_current_session_response")
    assert found == {"cards": camel_cased(reviewed), "status": "completed"}


def use_the_quiz(package: ReactPackage, provider: Any) -> None:
    assert package.ask("get_current_session_response")["response"] is None
    provider.then(Say(reply(*five())))
    review = package.run_in_background({"num_questions": 5, "extra_instructions": ""})
    assert review == package.ask("get_current_session_response")["response"]
    provider.then(Say(reply(five()[3])))
    anew = package.ask("regenerate_question", {"question_index": 0})["response"]
    assert anew["history"][anew["selected"]] == anew["question"]
    questions = [anew["question"], *(slot["versions"][slot["selected"]] for slot in review["questionSlots"][1:])]
    saved = package.save(KEY, questions, collection_name=review["collectionName"])
    assert (saved["saved"], saved["failed"]) == (5, [])
    assert package.ask("get_current_session_response")["response"] == saved["response"]


FLOWS: dict[tuple[str, str], Callable[[ReactPackage, Any], None]] = {
    BOX: use_a_box,
    CHAT: use_the_chat,
    CARDS: use_the_cards,
    QUIZ: use_the_quiz,
}


@pytest.mark.parametrize("path", PATHS)
def test_a_template_that_ships_works(path, providers, make_scope, author, library):
    make_scope(base_filepath=path)
    package = ReactPackage(author)
    FLOWS[package.mount().names](package, providers)


@pytest.mark.parametrize(
    ("half", "component"),
    [("request", "AISidebarChatComponent"), ("response", "AIFlashcardsResponse"), ("response", "")],
)
def test_a_name_of_ours_would_be_a_red_box(make_scope, learner, half, component):
    make_scope(patch={"actuator_config": {"UIComponents": {half: {"component": component} if component else None}}})
    with pytest.raises(RedBox):
        ReactPackage(learner).mount()


def test_a_stream_that_breaks_is_told_as_such(providers, make_scope, learner):
    make_scope()
    providers.reply(["One ", "two ", "three"])
    providers.cut_after(1)
    with pytest.raises(Failed) as caught:
        ReactPackage(learner).run()
    assert caught.value.code == "streaming_failed"


def test_a_long_run_is_seen_to_its_end(providers, make_scope, learner, monkeypatch):
    """It takes 160 seconds, so that the package looks every ten seconds at first, and then every thirty."""
    looks = []

    def wait(since):
        looks.append(since)
        if since >= 160:
            run_workflow.apply((AIWorkflowAsyncRun.objects.get().task_id,))

    make_scope(base_filepath="base/flashcards.json5")
    providers.reply(cards("One?"))
    monkeypatch.setattr(background.run_workflow, "apply_async", lambda *_args, **_kwargs: None)
    [card] = ReactPackage(learner, wait).run_in_background({"num_cards": None})
    assert card["question"] == "One?"
    assert looks == [*range(10, 130, 10), 150, 180]
    assert looks[-1] < ENOUGH


def test_a_run_that_fails_is_told_as_such(providers, make_scope, learner):
    make_scope(base_filepath="base/flashcards.json5")
    providers.fail(401)
    with pytest.raises(Failed) as caught:
        ReactPackage(learner).run_in_background({"num_cards": 3})
    assert caught.value.code == "invalid_api_key"
    assert "{" not in str(caught.value)
