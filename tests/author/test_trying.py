"""A workflow tried out by an author: the real answer, at the author's expense, and nothing is stored."""

from __future__ import annotations

import json

import pytest
from submissions.models import Submission

from openedx_ai_extensions.models import AIPause, AIWorkflowRun, AIWorkflowSession, PromptTemplate
from tests.author.conftest import Pages, words
from tests.rights.course import OPEN, OTHER, key

UNIT = str(key("vertical/open"))
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def scope(in_main, provider):
    provider.reply(["Gr", "een."])
    return in_main("chat", base_filepath="base/chat.json5")


def ask(pages, scope, text="Why?", unit=UNIT, **kwargs):
    data = {"workflow": scope.profile_id, "unit": unit, "text": text}
    return pages.client.post(pages.url("try"), data, **kwargs)


def events(response):
    blocks = b"".join(response.streaming_content).decode().split("\n\n")
    pairs = [block.split("\n") for block in blocks if block.startswith("event: ")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pairs]


def test_the_answer_arrives_and_nothing_is_stored(as_author, author, scope, provider, tracked):
    response = ask(as_author, scope, headers=EVENTS)
    assert response["Content-Type"] == "text/event-stream"
    found = events(response)
    assert "".join(data["text"] for name, data in found if name == "delta") == "Green."
    assert [name for name, _data in found[-2:]] == ["usage", "done"]
    assert found[-2][1]["text"].startswith("Tokens: ")
    [request] = provider.requests
    assert OPEN in json.dumps(request["messages"])
    assert not AIWorkflowSession.objects.exists()
    assert not Submission.objects.exists()
    assert tracked == []
    run = AIWorkflowRun.objects.get()
    assert (run.action, run.user_id, run.outcome, str(run.course_id or "")) == ("try", author.pk, "completed", "")


def test_without_a_script_the_page_has_it(as_author, scope):
    response = ask(as_author, scope)
    page = as_author.get("try")
    assert page.find("//section[@id='outcome']/@hidden")
    assert response.status_code == 200
    source = response.content.decode()
    assert ">Green.<" in source
    assert "Tokens: " in source
    assert f'value="{UNIT}" selected' in source


@pytest.mark.parametrize(
    ("base", "answer", "shown"),
    [
        pytest.param("base/summary.json5", None, "Green.", id="a summary"),
        pytest.param(
            "base/flashcards.json5", {"cards": [{"question": "Q?", "answer": "A."}]}, "**Q?**\n\n- A.", id="cards"
        ),
    ],
)
def test_other_workflows(as_author, in_main, provider, base, answer, shown):
    provider.reply(json.dumps(answer) if answer else "Green.")
    found = events(ask(as_author, in_main("other", base_filepath=base), headers=EVENTS))
    assert "".join(data["text"] for name, data in found if name == "delta") == shown


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"unit": str(key("vertical/open", OTHER))}, "unit", id="a unit of another course"),
        pytest.param({"unit": "rubbish"}, "unit", id="no unit"),
        pytest.param({"text": "x" * 30}, "text", id="too many words"),
    ],
)
def test_what_is_refused(as_author, scope, provider, settings, change, field):
    settings.AI_EXTENSIONS_MAX_INPUT_CHARS = 20
    response = ask(as_author, scope, headers=EVENTS, **change)
    assert response.status_code == 400
    assert f'for="id_{field}"' in response.content.decode()
    assert provider.requests == []


def test_only_workflows_of_the_course(as_author, scope, in_main, make_scope, provider):
    elsewhere = make_scope(slug="elsewhere", slot="b", course_id=OTHER)
    assert ask(as_author, elsewhere, headers=EVENTS).status_code == 400
    assert words(as_author.get("try"), "//select[@name='workflow']/option") == ["chat"]
    assert provider.requests == []


def test_what_is_turned_off_is_off_here_too(as_author, scope, provider):
    as_author.switch(scope, "off")
    [*_rest, (name, error)] = events(ask(as_author, scope, headers=EVENTS))
    assert (name, error["message"]) == ("error", "AI is not available here at the moment.")
    assert "AI is not available here at the moment." in ask(as_author, scope).content.decode()
    assert provider.requests == []


def test_an_author_has_the_staff_s_limits(as_author, scope, settings, provider):
    limit = {"per": "person", "period": "day"}
    settings.AI_EXTENSIONS_LIMITS = [{**limit, "requests": 0}, {**limit, "tier": "staff", "requests": 1}]
    assert events(ask(as_author, scope, headers=EVENTS))[-1][0] == "done"
    name, error = events(ask(as_author, scope, headers=EVENTS))[-1]
    assert name == "error"
    assert error["message"].startswith("You have used all of your AI requests")
    assert len(provider.requests) == 1


@pytest.mark.django_db(transaction=True)
def test_whoever_leaves_stops_the_model(as_author, scope, provider):
    provider.reply([f"word{number} " for number in range(1000)], delay=0.2)
    response = ask(as_author, scope, headers=EVENTS)
    chunks = iter(response.streaming_content)
    while b"word1" not in next(chunks):
        pass
    response.close()
    assert AIWorkflowRun.objects.get().outcome == "cancelled"


def test_in_studio(as_author, in_main, settings, provider):
    settings.SERVICE_VARIANT = "cms"
    provider.reply("Green.")
    scope = in_main(service_variant="cms")
    assert events(ask(as_author, scope, headers=EVENTS))[-1][0] == "done"
    assert AIPause.objects.count() == PromptTemplate.objects.count() == 0


def test_a_course_without_workflows(author, courses):
    assert "There is no workflow in this course" in Pages(author).get("try").text
