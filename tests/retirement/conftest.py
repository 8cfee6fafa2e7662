from __future__ import annotations

import pytest
from submissions.models import StudentItem, Submission

from openedx_ai_extensions.models import AIWorkflowSession
from tests.workflows.conversations.conftest import CHAT, Chat, responses

__all__ = ["responses"]


@pytest.fixture
def chats(make_scope, responses, learner, author):
    """A learner and an author, each with two turns of a chat that the provider remembers too."""
    make_scope(base_filepath=CHAT, slug="chat")
    people = [Chat(learner), Chat(author)]
    for chat in people:
        chat.answer("Why green?")
        chat.answer("Where?")
    responses.lookups.clear()
    return people


def kept(user) -> tuple[int, int]:
    """How many sessions and submissions there are of a person, cleared ones as well."""
    items = StudentItem.objects.filter(student_id=str(user.pk))
    return AIWorkflowSession.objects.filter(user=user).count(), Submission._objects.filter(
        student_item__in=items
    ).count()
