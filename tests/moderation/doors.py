"""Every way by which a person's words reach a model, and its answer the person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openedx_ai_extensions.events import AI_ORCHESTRATION_REQUESTED
from tests.api.conftest import Api
from tests.events.conftest import request_for
from tests.fakes.steps import Say
from tests.moderation.conftest import BAD, JSON, SSE
from tests.processors.openedx.quiz import question
from tests.workflows.educator.conftest import reply
from tests.workflows.flashcards.conftest import FLASHCARDS, cards

CHAT, QUIZ, SUMMARY = "base/chat.json5", "base/quiz.json5", "base/summary.json5"
GOOD_ANSWER, BAD_ANSWER = "Leaves are green.", f"Leaves are {BAD}."


@dataclass(frozen=True)
class Site:
    """What a door needs to be tried."""

    learner: Any
    author: Any
    provider: Any
    make_scope: Callable[..., Any]
    caplog: Any


@dataclass(frozen=True)
class Door:
    """One way in and out.

    Attributes:
        base: the template of the profile.
        go: says the words, where there is room for any; returns all that anybody gets to see, as text.
        answer: what the model has to say for the answer to be this text.
        needs_commits: what goes on there begins with the commit of a transaction.
        shows_answer: a person gets to see the answer there.
    """

    base: str
    go: Callable[[Site, str], str]
    answer: Callable[[str], str] = str
    needs_commits: bool = False
    shows_answer: bool = True

    def open(self, site: Site, words: str, answer: str) -> str:
        site.make_scope(base_filepath=self.base, slug="door")
        site.provider.always(Say(_pieces(self.answer(answer))))
        return self.go(site, words)


def _pieces(text: str) -> list[str]:
    """As it streams: some of the bad word at a time."""
    return [text[start : start + 3] for start in range(0, len(text), 3)]


def _body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    body = content.decode()
    if response["Content-Type"] == "text/event-stream":
        body += "".join(
            json.loads(data)["text"] for data in re.findall(r"^event: delta\ndata: (.*)", body, re.MULTILINE)
        )
    return f"{response.status_code} {body}"


def rest(action: str = "run", **call: Any) -> Callable[[Site, str], str]:
    return lambda site, words: _body(Api(site.learner).run(words, action=action, **call))


def _in_background(site: Site, words: str) -> str:
    api = Api(site.learner)
    started = api.run(words, action="run_async")
    assert started.json()["status"] == "processing"
    return _body(api.run(action="get_run_status"))


def _event_bus(site: Site, words: str) -> str:
    """Nobody gets to see anything but the log."""
    site.caplog.set_level("INFO")
    AI_ORCHESTRATION_REQUESTED.send_event(orchestration=request_for(site.learner, user_input=json.dumps(words)))
    return site.caplog.text


def _quiz(site: Site, words: str) -> str:
    return _body(Api(site.author).run({"num_questions": 1, "extra_instructions": words}))


def _regenerate(site: Site, words: str) -> str:
    """A question is there; it is the second one that is looked at."""
    api = Api(site.author)
    site.provider.then(Say(_quiz_answer("Roots are brown.")))
    assert api.run({"num_questions": 1}).status_code == 200
    site.provider.requests.clear()
    fields = {"question_index": 0, "extra_instructions": words}
    return _body(api.run(fields, action="regenerate_question"))


def _quiz_answer(text: str) -> str:
    return reply(question("stringresponse", explanation=text))


DOORS = {
    "direct, streamed": Door(SUMMARY, rest()),
    "direct, as events": Door(SUMMARY, rest(headers=SSE)),
    "direct, whole": Door(SUMMARY, rest(headers=JSON)),
    "direct, by its older name": Door(SUMMARY, rest("simple_button_assistance")),
    "chat, streamed": Door(CHAT, rest()),
    "chat, whole": Door(CHAT, rest(headers=JSON)),
    "chat, in the background": Door(CHAT, _in_background, needs_commits=True),
    "direct, by the event bus": Door(SUMMARY, _event_bus, needs_commits=True, shows_answer=False),
    "chat, by the event bus": Door(CHAT, _event_bus, needs_commits=True, shows_answer=False),
    "quiz questions": Door(QUIZ, _quiz, _quiz_answer),
    "a question anew": Door(QUIZ, _regenerate, _quiz_answer),
}
# Where a person only presses a button.
WORDLESS = {
    "flashcards": Door(FLASHCARDS, lambda site, _words: _body(Api(site.learner).run({})), cards),
    "a greeting": Door(CHAT, lambda site, _words: rest()(site, "")),
}
