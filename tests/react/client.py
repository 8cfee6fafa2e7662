"""The published React package, as far as a server meets it: what it sends, when, and what it makes of the answers."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.test import Client

from tests.conftest import COURSE_ID, SLOT, UNIT_ID
from tests.react.keys import camel_cased, snake_cased

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
# Its registry: the configuration that each component reads, and the type of its values.
REQUESTS: dict[str, dict[str, type]] = {
    "AIRequestComponent": {"buttonText": str, "customMessage": str},
    "LibraryProblemCreator": {"titleText": str, "preloadPreviousSession": bool},
    "FlashcardCreator": {"buttonText": str, "customMessage": str, "preloadPreviousSession": bool},
}
RESPONSES: dict[str, dict[str, type]] = {
    "AIResponseComponent": {"customMessage": str},
    "AISidebarResponse": {"customMessage": str},
    "LibraryProblemCreatorResponse": {"customMessage": str, "titleText": str, "hyperlinkText": str},
    "FlashcardStudyResponse": {"customMessage": str},
}
BOX = ("AIRequestComponent", "AIResponseComponent")
CHAT = ("AIRequestComponent", "AISidebarResponse")
QUIZ = ("LibraryProblemCreator", "LibraryProblemCreatorResponse")
CARDS = ("FlashcardCreator", "FlashcardStudyResponse")
PAIRS = (BOX, CHAT, QUIZ, CARDS)

OFTEN, SELDOM = 10, 30  # seconds between two looks at a run
LONG, ENOUGH = 120, 300  # seconds after which it looks less often, and no more
STATES = {"idle", "processing", "completed", "failed", "timeout", "cancelled"}
_MARKER = re.compile(r'\|\|(\{"error_in_stream": true, "code": .*\})\|\|$', re.DOTALL)


class RedBox(Exception):
    """What it shows in place of a component that it does not know."""


class Failed(Exception):
    """What it shows in place of an answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Mounted:
    """The two components of a slot, each with its configuration."""

    names: tuple[str, str]
    request: dict[str, Any]
    response: dict[str, Any]


class ReactPackage:
    """Sends what the package sends: fixed paths, a raw camelCase context, and fields that nobody may need.

    Args:
        user: who is logged in.
        wait: called in place of waiting, with the seconds since a run began.
        context: of the slot, where it differs.
    """

    def __init__(self, user: Any, wait: Callable[[int], None] = lambda _since: None, **context: Any) -> None:
        self.client = Client()
        self.client.force_login(user)
        self.wait = wait
        self.context = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": SLOT, **context}

    def url(self, endpoint: str) -> str:
        return f"{BASE}/{endpoint}/?context={quote(json.dumps(self.context), safe='')}"

    def profile(self) -> dict[str, Any]:
        return camel_cased(self.client.get(self.url("profile")).json())

    def mount(self) -> Mounted:
        """Look up the components of the slot.

        Raises:
            RedBox: one is not in the registry, or missing, or one is given what it cannot show.
        """
        components = self.profile()["uiComponents"]
        names, configs = [], []
        for half, registry in (("request", REQUESTS), ("response", RESPONSES)):
            found = components.get(half) or {}
            name, config = found.get("component"), found.get("config") or {}
            if name not in registry:
                raise RedBox(f"Unknown Component: {name}")
            for key, kind in registry[name].items():
                if key in config and not isinstance(config[key], kind):
                    raise RedBox(f"{name}.{key} is no {kind.__name__}")
            names.append(name)
            configs.append(config)
        if tuple(names) not in PAIRS:
            raise RedBox(f"{names} are no pair")
        return Mounted((names[0], names[1]), *configs)

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

    def run(self, user_input: Any = None) -> Any:
        """The answer of ``run``, whole or streamed.

        Raises:
            Failed: there is none, or it breaks off.
        """
        response = self.post("run", user_input)
        if response.status_code != 200:
            error = response.json()["error"]
            raise Failed(error["code"], error["message"])
        if not response.streaming:
            return camel_cased(response.json())["response"]
        text = b"".join(response.streaming_content).decode()
        broken = _MARKER.search(text)
        if broken:
            error = json.loads(broken[1])
            raise Failed(error["code"], error["message"])
        return text

    def run_in_background(self, user_input: Any) -> Any:
        """The answer of ``run_async``, polled for.

        Raises:
            Failed: the run did, or it took too long.
        """
        state = self.ask("run_async", user_input)
        assert isinstance(state["taskId"], str)
        since = 0
        while state["status"] == "processing" and since < ENOUGH:
            since += OFTEN if since < LONG else SELDOM
            self.wait(since)
            state = self.ask("get_run_status")
            assert state["status"] in STATES
        if state["status"] != "completed":
            raise Failed(state.get("code", state["status"]), state.get("error", ""))
        return state["response"]

    def save(self, library: str, questions: Sequence[Any], **fields: Any) -> dict[str, Any]:
        """Save questions as they are shown, to a library."""
        return self.ask("save", {"library_id": library, "questions": snake_cased(list(questions)), **fields})
