"""A turn costs the same however long the conversation is: in queries, and in what the provider is sent."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.workflows.conversations.conftest import JSON

pytestmark = pytest.mark.django_db(transaction=True)

EARLY, FULL, LATE = 4, 6, 40  # the sixth turn is the first that has as many messages before it as the model is sent
# As long as turns are: what the history weighs beside the course text must show.
QUESTION = "Question {}: why do leaves look green, and what would a plant look like that used all of the light?"
ANSWER = "Answer {}: chlorophyll takes in red and blue light, and sends much of the green back to who looks at it."


@pytest.fixture(params=["our history", "the provider's threads"])
def memory(request, provider):
    if request.param == "the provider's threads":
        request.getfixturevalue("responses")
    return request.param


def take_turn(chat, provider, number, headers):
    """The SQL of a turn without its values, and how many bytes the provider was sent."""
    asked = len(provider.requests)
    provider.reply(ANSWER.format(f"{number:03}"))
    with CaptureQueriesContext(connection) as queries:
        response = chat.say(QUESTION.format(f"{number:03}"), headers=headers)
        text = b"".join(response.streaming_content).decode() if response.streaming else response.json()["response"]
    assert text == ANSWER.format(f"{number:03}")
    sent = sum(int(request["headers"]["Content-Length"]) for request in provider.requests[asked:])
    return [query["sql"].split(" WHERE ")[0].split(" VALUES ")[0].split(" SET ")[0] for query in queries], sent


@pytest.mark.parametrize("headers", [{}, JSON], ids=["streamed", "whole"])
def test_turn_40_costs_what_turn_4_costs(chat, provider, memory, headers):
    costs = {number: take_turn(chat, provider, number, headers) for number in range(1, LATE + 1)}
    early_queries, early_bytes = costs[EARLY]
    late_queries, late_bytes = costs[LATE]
    assert late_queries == early_queries
    assert len({len(queries) for number, (queries, _bytes) in costs.items() if number >= EARLY}) == 1
    sent = {number: size for number, (_queries, size) in costs.items()}
    if memory == "the provider's threads":
        assert late_bytes == pytest.approx(early_bytes, rel=0.05), sent
    else:
        assert late_bytes == pytest.approx(costs[FULL][1], rel=0.05), sent
    # With threads, now and then one is begun anew with the last messages: no turn sends more than those.
    assert max(sent.values()) <= 1.05 * max(size for number, size in sent.items() if number <= 12)


def test_opening_and_scrolling_back_cost_the_same_too(chat, provider):
    queries = {}
    for number in range(1, LATE + 1):
        take_turn(chat, provider, number, JSON)
        with CaptureQueriesContext(connection) as captured:
            chat.answer()
            chat.do("get_current_session_response")
            chat.do("lazy_load_chat_history", 10)
        queries[number] = len(captured)
    assert queries[LATE] == queries[10]
