"""Whoever knocks at whichever door: what is not theirs to see neither leaves for the provider nor comes back.

Each row is one thing that not everybody may see. It is asked for straight, and it is passed by on the way through the
course; what counts is what the provider truly gets, and what is answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from opaque_keys.edx.keys import UsageKey

from tests.api.conftest import Api
from tests.conftest import SLOT
from tests.events.conftest import request_for
from tests.fakes.steps import CallTools, Say, ToolCall
from tests.rights.course import ANSWER, COHORTS, ELSEWHERE, OPEN, OTHER, QUESTION, STAFF_ONLY, UNRELEASED, key

pytestmark = pytest.mark.usefixtures("consuming")

TOOLS = ("get_context", "get_location_content", "get_location_link", "get_course_info")
REFUSED, TOLD = "refused", "told"
NO_SUCH_PLACE = "This part of the course does not exist or is not open to you."
JSON = {"Accept": "application/json"}
# The workflow reads all that its person has met so far, and the model may look up the rest.
PATCH = {
    "processor_config": {
        "OpenEdXProcessor": {"retrieval_mode": "up_to_current_unit"},
        "LLMProcessor": {"stream": False, "enabled_tools": TOOLS},
    }
}
FIRST, LAST = key("vertical/open"), key("vertical/last")


@dataclass(frozen=True, slots=True)
class Heard:
    """How it went, and all that was said: to the provider, and to the person."""

    outcome: str
    words: str


@dataclass(frozen=True, slots=True)
class Site:
    """The provider, as what it gets, and the event log."""

    provider: Any
    outcome: Callable[..., str]

    @property
    def sent(self) -> str:
        """What has left for the provider since this was last asked."""
        requests = json.dumps([{**request, "headers": None} for request in self.provider.requests])
        self.provider.requests.clear()
        return requests

    def by_rest(self, user: Any, place: UsageKey) -> Heard:
        """``POST workflows/``, and what ``GET profile/`` shows there."""
        api, context = Api(user), _context(place)
        widget, answer = api.profile(context), api.run("Why?", context=context, headers=JSON)
        assert answer.status_code in {200, 403}
        is_refused = answer.status_code == 403
        assert ("ui_components" in widget.json()) is not is_refused
        return self.heard(is_refused, f"{widget.content.decode()} {answer.content.decode()}")

    def by_tool(self, user: Any, place: UsageKey) -> Heard:
        """A model that looks up the place while its learner is at the first unit, by all tools that there are."""
        there, around = {"location_id": str(place)}, {"location_id": str(key("chapter/all"))}
        calls = {
            "content": ToolCall("get_location_content", there, id="content"),
            "sequence": ToolCall("get_location_content", {**there, "retrieval_mode": "sequence"}, id="sequence"),
            "link": ToolCall("get_location_link", there, id="link"),
            "context": ToolCall("get_context", {}, id="context"),
            "info": ToolCall("get_course_info", {}, id="info"),
            "around": ToolCall("get_location_content", around, id="around"),
        }
        self.provider.then(CallTools(*calls.values()), Say("ok"))
        answer = Api(user).run("Why?", context=_context(FIRST), headers=JSON)
        assert answer.json()["response"] == "ok"
        results = _tool_results(self.provider.requests[-1])
        assert set(results) == set(calls)
        refused = {name for name, text in results.items() if NO_SUCH_PLACE in text}
        assert refused in (set(), {"content", "sequence", "link"})
        assert OPEN in results["around"]
        return self.heard(bool(refused), answer.content.decode())

    def by_event(self, user: Any, place: UsageKey) -> Heard:
        """An event on the bus."""
        course_id = str(place.context_key)
        outcome = self.outcome(request_for(user, course_id=course_id, location_id=str(place)))
        assert outcome in {"permission_denied", "completed"}
        return self.heard(outcome != "completed", "")

    def heard(self, is_refused: bool, answered: str) -> Heard:
        return Heard(REFUSED if is_refused else TOLD, f"{self.sent} {answered}")


def _context(place: UsageKey) -> Mapping[str, str]:
    return {"courseId": str(place.context_key), "locationId": str(place), "uiSlotSelectorId": SLOT}


def _tool_results(request: Mapping[str, Any]) -> dict[str, str]:
    messages = (message for message in request["messages"] if message["role"] == "tool")
    return {message["tool_call_id"]: message["content"] for message in messages}


@pytest.fixture
def site(backend, provider, outcome, make_scope) -> Site:
    make_scope(course_id=None, patch=PATCH)
    provider.reply("ok")
    return Site(provider, outcome)


DOORS = [
    pytest.param(Site.by_rest, id="REST"),
    pytest.param(Site.by_tool, id="a model's tool"),
    pytest.param(Site.by_event, id="an event"),
]
# Where it is, what nobody else may read, and how a learner and course staff fare who ask for it; whether staff read it.
THINGS = [
    pytest.param(key("html/open", OTHER), ELSEWHERE, (REFUSED, REFUSED), False, id="another course"),
    pytest.param(key("html/later"), UNRELEASED, (REFUSED, TOLD), True, id="an unreleased section"),
    pytest.param(key("vertical/staff"), STAFF_ONLY, (REFUSED, TOLD), True, id="a staff-only unit"),
    pytest.param(key("html/cohort"), COHORTS, (REFUSED, TOLD), True, id="another cohort's block"),
    # Nobody's model gets an answer before it is open to learners: staff read it in the course.
    pytest.param(key("problem/problem"), ANSWER, (TOLD, TOLD), False, id="an answer not yet open"),
]


@pytest.mark.parametrize(("place", "secret", "outcomes", "is_for_staff"), THINGS)
@pytest.mark.parametrize("door", DOORS)
def test_what_leaves_and_what_comes_back(site, learner, author, door, place, secret, outcomes, is_for_staff):
    asked = [door(site, user, place) for user in (learner, author)]
    assert tuple(heard.outcome for heard in asked) == outcomes
    passed = [door(site, user, LAST) for user in (learner, author)]
    assert [heard.outcome for heard in passed] == [TOLD, TOLD]
    assert all(OPEN in heard.words and QUESTION in heard.words for heard in passed)
    for_learner, for_staff = zip(asked, passed, strict=True)
    assert not [heard for heard in for_learner if secret in heard.words]
    assert {secret in heard.words for heard in for_staff} == {is_for_staff}
