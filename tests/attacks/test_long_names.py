"""Names that a provider makes up: all that is stored of an answer fits the columns of every database."""

from __future__ import annotations

from typing import Any

import pytest

from openedx_ai_extensions.models import AIWorkflowRun, AIWorkflowSession
from tests.fakes.steps import Wire
from tests.workflows.conversations.conftest import Chat, chat, responses

__all__ = ["chat", "responses"]

pytestmark = pytest.mark.django_db(transaction=True)


def answer(response_id: Any, **fields: Any) -> dict[str, Any]:
    """An answer of the Responses API."""
    text = {"type": "output_text", "text": "Hello.", "annotations": []}
    return {
        "id": response_id,
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "gpt-fake",
        "output": [{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **fields,
    }


def assert_fits() -> None:
    """SQLite takes texts of any length; other databases refuse those that are longer than their column."""
    for row in [*AIWorkflowSession.objects.all(), *AIWorkflowRun.objects.all()]:
        for field in row._meta.concrete_fields:
            assert len(str(getattr(row, field.attname))) <= (field.max_length or 2**31), field.name


@pytest.mark.parametrize(
    ("response_id", "is_kept"),
    [
        pytest.param("resp_" + "a" * 150, True, id="LiteLLM makes 297 characters of it"),
        pytest.param("resp_" + "a" * 1_000, True, id="a long one"),
        pytest.param("resp_" + "a" * 100_000, False, id="longer than any"),
    ],
)
def test_names_of_responses(chat: Chat, responses, response_id, is_kept):
    responses.then(Wire(whole=answer(response_id)))
    assert chat.answer("Why?") == "Hello."
    assert_fits()
    assert bool(chat.session.remote_response_id) == is_kept
    responses.reply("Again.")
    assert chat.answer("How?") == "Again."
    assert any("previous_response_id" in request for request in responses.requests) == is_kept


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"model": "m" * 100_000}, id="model"),
        pytest.param({"status": "s" * 10_000}, id="status"),
        pytest.param({"incomplete_details": {"reason": "r" * 10_000}, "status": "incomplete"}, id="reason"),
    ],
)
def test_other_words(chat: Chat, responses, fields):
    responses.then(Wire(whole=answer("r1", **fields)))
    chat.say("Why?")
    assert_fits()
    responses.reply("Again.")
    assert chat.answer("How?") == "Again."
