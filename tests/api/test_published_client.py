"""The requests that a widget of the published React package sends, and what it reads of the answers."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from tests.api.conftest import NAMESPACE, Api
from tests.conftest import COURSE_ID, SLOT, UNIT_ID
from tests.fakes.steps import Say
from tests.processors.openedx.quiz import question
from tests.workflows.educator.conftest import library, reply
from tests.workflows.educator.library import KEY
from tests.workflows.flashcards.conftest import cards

__all__ = ["NAMESPACE", "library"]

BASE = "/openedx-ai-extensions/v1"
# What it has its own words for; of the rest it shows the message.
KNOWN_CODES = {
    "invalid_api_key",
    "rate_limit_exceeded",
    "service_unavailable",
    "context_window_exceeded",
    "validation_error",
    "streaming_failed",
    "internal_error",
    "processor_error",
}
NO_STREAM = {"processor_config": {"LLMProcessor": {"stream": False}}}


def camel_cased(value: Any) -> Any:
    """Keys as the package turns them, at every depth."""
    if isinstance(value, list):
        return [camel_cased(item) for item in value]
    if isinstance(value, dict):
        return {re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), k): camel_cased(v) for k, v in value.items()}
    return value


class Widget:
    """Sends what the package sends: fixed paths, a raw camelCase context, and fields that nobody may need."""

    def __init__(self, user: Any, **context: Any) -> None:
        self.client = Client()
        self.client.force_login(user)
        self.context = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": SLOT, **context}

    def url(self, endpoint: str) -> str:
        return f"{BASE}/{endpoint}/?context={quote(json.dumps(self.context), safe='')}"

    def profile(self) -> dict[str, Any]:
        return camel_cased(self.client.get(self.url("profile")).json())

    def post(self, action: str, user_input: Any = None) -> Any:
        body = {
            "action": action,
            "user_input": user_input,
            "request_id": f"ai-request-{uuid.uuid4()}",
            "timestamp": "2026-01-02T03:04:05.678Z",
            "task_id": None,
            "course_id": self.context["courseId"],
        }
        return self.client.post(self.url("workflows"), json.dumps(body), content_type="application/json")

    def ask(self, action: str, user_input: Any = None) -> dict[str, Any]:
        response = self.post(action, user_input)
        assert response.status_code == 200, response.content
        return camel_cased(response.json())


MANGLED = {
    "as it is": {},
    "encoded twice, and a path": {"courseId": quote(COURSE_ID, safe=""), "locationId": f"unit/{UNIT_ID}"},
    "a plus that became a space": {"courseId": COURSE_ID.replace("+", " ")},
}


@pytest.mark.parametrize("context", MANGLED.values(), ids=MANGLED)
def test_a_button(learner, make_scope, provider, context):
    make_scope(patch=NO_STREAM)
    provider.reply("Plants make sugar.")
    widget = Widget(learner, **context)
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
    response = Widget(learner).post("run")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert b"".join(response.streaming_content).decode() == "Plants make 🌱"


def test_a_broken_stream_says_so_in_the_text(learner, make_scope, provider):
    make_scope()
    provider.reply(["One ", "two ", "three"])
    provider.cut_after(1)
    text = b"".join(Widget(learner).post("run").streaming_content).decode()
    marker = re.search(r"\|\|(\{.*\})\|\|$", text)
    assert marker
    assert list(json.loads(marker[1])) == ["error_in_stream", "code", "message"]
    assert json.loads(marker[1])["code"] == "streaming_failed"


def test_no_widget_here(learner, make_scope):
    make_scope()
    assert Widget(learner, uiSlotSelectorId="another").profile().keys() == {"status", "timestamp"}
    response = Widget(learner, courseId="nonsense").post("run")
    assert response.status_code == 400
    error = camel_cased(response.json())
    assert error["error"]["code"] in KNOWN_CODES
    assert isinstance(error["error"]["message"], str | list)


def test_a_chat_opens_goes_on_and_shows_what_was_before(learner, make_scope, provider):
    make_scope(base_filepath="base/chat.json5", patch={**NO_STREAM, "orchestrator_class": "ThreadedLLMResponse"})
    widget = Widget(learner)
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
    widget = Widget(learner)
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
    widget = Widget(author)
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
    widget = Widget(learner)
    provider.fail(500)
    widget.ask("run_async", {"num_cards": 3})
    state = widget.ask(action)
    assert state["status"] == "failed"
    assert isinstance(state["error"], str)
    assert state["code"] in KNOWN_CODES
