from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from openedx_ai_extensions.models import AIWorkflowSession
from tests.api.conftest import Api, error_of
from tests.fakes.steps import Say
from tests.processors.openedx.quiz import question
from tests.workflows.educator.library import KEY, OTHER, Folder

KINDS = ("multiplechoiceresponse", "choiceresponse", "optionresponse", "numericalresponse", "stringresponse")


def reply(*questions: Mapping[str, Any], name: str = "Light") -> str:
    """A model's answer."""
    return json.dumps({"collection_name": name, "questions": list(questions)}, ensure_ascii=False)


def five(**fields: Any) -> list[dict[str, Any]]:
    """One question of each type."""
    return [question(kind, display_name=f"Question {number}", **fields) for number, kind in enumerate(KINDS)]


class Desk:
    """An author at work, through the REST endpoints."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.api = Api(user)

    def do(self, action: str, user_input: Any = None, **body: Any) -> dict[str, Any]:
        response = self.api.run(user_input, action=action, **body)
        assert response.status_code == 200, response.content
        return response.json()

    def refused(self, action: str, user_input: Any = None) -> tuple[int, str]:
        return error_of(self.api.run(user_input, action=action))

    def write(self, number: int = 5, **fields: Any) -> dict[str, Any]:
        return self.do("run", {"num_questions": number, **fields})["response"]

    def save(self, questions: Sequence[Any], **fields: Any) -> dict[str, Any]:
        return self.do("save", {"library_id": KEY, "questions": questions, **fields})

    @property
    def current(self) -> Any:
        """What a widget that opens gets."""
        answer = self.do("get_current_session_response")
        assert answer["status"] == "completed"
        return answer["response"]

    @property
    def selected(self) -> list[dict[str, Any]]:
        return [slot["versions"][slot["selected"]] for slot in self.current["question_slots"]]

    @property
    def session(self) -> AIWorkflowSession:
        return AIWorkflowSession.objects.get(user=self.user)


@pytest.fixture
def library(settings, tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "library")
    settings.AI_EXTENSIONS_STANDALONE_LIBRARIES = {
        KEY: {"path": folder.path, "editors": ["author"]},
        OTHER: {"path": tmp_path / "other", "editors": []},
    }
    return folder


@pytest.fixture
def desk(author, provider, make_scope, library) -> Desk:
    """An author whose model writes one question of each type."""
    make_scope(base_filepath="base/quiz.json5", slug="quiz")
    provider.always(Say(reply(*five())))
    return Desk(author)
