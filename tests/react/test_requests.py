"""The requests that a widget of the published React package sends, and what it reads of the answers."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest

from tests.api.conftest import Api
from tests.conftest import COURSE_ID, UNIT_ID
from tests.fakes.steps import Say
from tests.processors.openedx.quiz import question
from tests.react.client import KNOWN_CODES, ReactPackage
from tests.react.keys import camel_cased
from tests.workflows.educator.conftest import library, reply
from tests.workflows.educator.library import KEY
from tests.workflows.flashcards.conftest import cards

__all__ = ["library"]

NO_STREAM = {"processor_config": {"LLMProcessor": {"stream": False}}}


MANGLED = {
    "as it is": {},
    "encoded twice, and a path": {"courseId": quote(COURSE_ID, safe=""), "locationId": f"unit/{UNIT_ID}"},
    "a plus that became a space": {"courseId": COURSE_ID.replace("+", " ")},
}


@pytest.mark.parametrize("context", MANGLED.values(), ids=MANGLED)
def test_a_button(learner, make_scope, provider, context):
    make_scope(patch=NO_STREAM)
    provider.reply("Plants make sugar.")
    widget = ReactPackage(learner, **context)
    answer = widget.profile()
    assert set(answer) == {"courseId", "uiComponents", "timestamp"}
    assert answer["courseId"] == COURSE_ID
    for half in ("request", "response"):
        assert set(answer["uiComponents"][half]) == {"component", "config"}
    for action in ("run", "simple_button_assistance"):
        assert widget.ask(action, {"text": "Why?"}) == {"response": "Plants make sugar.", "status": "completed"}


def test_a_stream_is_read_as_plain_text(learner, make_scope, provider):
    make_scope()
    provider.reply(["Plants ", "make ", "🌱"])
    response = ReactPackage(learner).post("run")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert b"".join(response.streaming_content).decode() == "Plants make 🌱"


def test_a_broken_stream_says_so_in_the_text(learner, make_scope, provider):
    make_scope()
    provider.reply(["One ", "two ", "three"])
    provider.cut_after(1)
    text = b"".join(ReactPackage(learner).post("run").streaming_content).decode()
    marker = re.search(r"\|\|(\{.*\})\|\|$", text)
    assert marker
    assert list(json.loads(marker[1])) == ["error_in_stream", "code", "message"]
    assert json.loads(marker[1])["code"] == "streaming_failed"


def test_no_widget_here(learner, make_scope):
    make_scope()
    assert ReactPackage(learner, uiSlotSelectorId="another").profile().keys() == {"status", "timestamp"}
    response = ReactPackage(learner, courseId="nonsense").post("run")
    assert response.status_code == 400
    error = camel_cased(response.json())
    assert error["error"]["code"] in KNOWN_CODES
    assert isinstance(error["error"]["message"], str | list)


def test_a_chat_opens_goes_on_and_shows_what_was_before(learner, make_scope, provider):
    make_scope(base_filepath="base/chat.json5", patch={**NO_STREAM, "orchestrator_class": "ThreadedLLMResponse"})
    widget = ReactPackage(learner)
    provider.reply("Hello.")
    assert widget.ask("run") == {"response": "Hello.", "status": "completed"}
    for number in range(7):
        provider.reply(f"Answer {number}.")
        assert widget.ask("run", f"Question {number}?")["response"] == f"Answer {number}."
    opened = widget.ask("run")
    assert isinstance(opened["response"], str)
    shown = camel_cased(json.loads(opened["response"]))
    assert shown["metadata"]["hasMore"] is True
    assert shown["metadata"]["currentCount"] == len(shown["messages"])
    for message in shown["messages"]:
        assert message["role"] in {"user", "assistant"}
        assert message["content"]
        assert message["timestamp"]
    seen = list(shown["messages"])
    while shown["metadata"]["hasMore"]:
        told = json.dumps({"current_messages": len(seen)})
        shown = camel_cased(json.loads(widget.ask("lazy_load_chat_history", told)["response"]))
        assert shown["metadata"]["newCount"] == len(shown["messages"]) > 0
        seen = [*shown["messages"], *seen]
    expected = [text for number in range(7) for text in (f"Question {number}?", f"Answer {number}.")]
    assert [message["content"] for message in seen] == ["Hello.", *expected]
    assert widget.ask("clear_session") == {"response": "", "status": "session_cleared"}


def test_flashcards_are_polled_for_reviewed_and_saved(learner, make_scope, provider):
    make_scope(base_filepath="base/flashcards.json5", slug="flashcards")
    widget = ReactPackage(learner)
    assert widget.ask("get_current_session_response") == {"cards": None, "status": "no_flashcards"}
    assert widget.ask("get_run_status") == {"status": "idle"}
    provider.then(Say(cards("One?", "Two?")))
    started = widget.ask("run_async", {"num_cards": None})
    assert set(started) == {"status", "taskId", "message"}
    assert started["status"] == "processing"
    done = widget.ask("get_run_status")
    assert done["status"] == "completed"
    assert set(done["response"][0]) == {
        "id",
        "question",
        "answer",
        "nextReviewTime",
        "interval",
        "easeFactor",
        "repetitions",
        "lastReviewedAt",
    }
    stack = widget.ask("get_current_session_response")
    assert (stack["status"], stack["cards"]) == ("completed", done["response"])
    # It sends snake_case, and more than the cards.
    reviewed = [
        {
            "id": card["id"],
            "question": card["question"],
            "answer": card["answer"],
            "next_review_time": 1_700_000_000_000,
            "interval": 6,
            "ease_factor": 2.6,
            "repetitions": 2,
            "last_reviewed_at": 1_690_000_000_000,
        }
        for card in stack["cards"]
    ]
    saved = widget.ask("save", {"card_stack": {"cards": reviewed, "created_at": 1, "last_studied_at": 2}})
    assert saved["status"] == "saved"
    assert isinstance(saved["message"], str)
    assert [card["easeFactor"] for card in widget.ask("get_current_session_response")["cards"]] == [2.6, 2.6]


def test_questions_are_polled_for_reviewed_and_saved(author, make_scope, provider, library):
    make_scope(base_filepath="base/quiz.json5", slug="quiz")
    widget = ReactPackage(author)
    assert widget.ask("get_current_session_response")["response"] is None
    kinds = ("multiplechoiceresponse", "numericalresponse")
    provider.always(Say(reply(*(question(kind) for kind in kinds))))
    assert widget.ask("run_async", {"num_questions": 2, "extra_instructions": ""})["status"] == "processing"
    assert widget.ask("get_run_status")["status"] == "completed"
    review = widget.ask("get_current_session_response")["response"]
    assert set(review) == {"questionSlots", "collectionName"}
    for slot in review["questionSlots"]:
        assert set(slot) == {"versions", "selected"}
        asked = slot["versions"][slot["selected"]]
        assert {"displayName", "questionHtml", "problemType", "choices", "explanation", "demandHints"} <= set(asked)
    provider.always(Say(reply(question("multiplechoiceresponse"))))
    anew = widget.ask("regenerate_question", {"question_index": 0, "extra_instructions": "Harder."})["response"]
    assert set(anew) == {"question", "history", "selected"}
    assert (len(anew["history"]), anew["selected"]) == (2, 1)
    snake_cased = Api(author).run(action="get_current_session_response").json()["response"]["question_slots"]
    questions = [slot["versions"][slot["selected"]] for slot in snake_cased]
    saved = widget.ask("save", {"library_id": KEY, "questions": questions, "collection_name": "Leaves"})
    assert saved["status"] == "completed"
    assert saved["response"].startswith(f"authoring/library/{KEY}/collection/")
    assert widget.ask("get_current_session_response")["response"] == saved["response"]


@pytest.mark.parametrize("action", ["get_run_status", "cancel_run"])
def test_polling_is_never_an_error_of_the_network(learner, make_scope, provider, settings, action):
    """A poller takes ``status: error`` for a fault on the way, and goes on."""
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    make_scope(base_filepath="base/flashcards.json5", slug="flashcards")
    widget = ReactPackage(learner)
    provider.fail(500)
    widget.ask("run_async", {"num_cards": 3})
    state = widget.ask(action)
    assert state["status"] == "failed"
    assert isinstance(state["error"], str)
    assert state["code"] in KNOWN_CODES
