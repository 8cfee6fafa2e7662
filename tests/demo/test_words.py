"""What the script says in words: each unit of the demo course has its own, and what is missing is said to be."""

from __future__ import annotations

import json
import re

import pytest
import requests

from openedx_ai_extensions.demo import scripted_model
from openedx_ai_extensions.demo.scripted_texts import FOLDER, reply
from openedx_ai_extensions.prompts.builtin import builtin_prompt

UNITS = ("unit_sunlight", "unit_chlorophyll", "unit_check", "unit_sugar", "unit_teacher_notes")
TEXTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
TITLES = dict(zip(UNITS, TEXTS["summary"], strict=True))
GREETING = "Hello! Ask me anything about this unit."
STARTERS = {
    "What are the main ideas of this unit?": "summary",
    "Explain the hardest part in simple words.": "simple",
    "Ask me a question to check what I know.": "check",
}
RIVERS = (
    "# Springs\n\n## Where they are\nA river begins where groundwater reaches the surface. Many small streams join it."
)


def said(response):
    assert response.status_code == 200
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.json()["response"]


def messages(prompt, content, question=""):
    system = f"{builtin_prompt(prompt)}\n\n<course_content>\n{content}\n</course_content>"
    asked = f"<learner_message>\n{question}\n</learner_message>" if question else builtin_prompt("begin")
    return [{"role": "system", "content": system}, {"role": "user", "content": asked}]


@pytest.mark.parametrize("unit", UNITS)
def test_each_unit_has_answers_of_its_own(ask, unit):
    name = "author" if unit == "unit_teacher_notes" else "learner"
    summary = "terms" if unit == "unit_sugar" else "summary"
    for slot, script in (("unit-summary", summary), ("unit-simple", "simple")):
        assert said(ask(name, slot, "run", unit=unit)) == "\n".join(TEXTS[script][TITLES[unit]])
    for each in TEXTS["ask"][TITLES[unit]]:
        assert said(ask(name, "unit-ask", "run", each["question"], unit=unit)) == "\n".join(each["answer"])


@pytest.mark.parametrize("unit", UNITS)
def test_the_tutor_talks_about_each_unit(ask, unit):
    name = "author" if unit == "unit_teacher_notes" else "learner"
    tutor = TEXTS["tutor"][TITLES[unit]]
    assert said(ask(name, "unit-chat", "run", unit=unit)) == GREETING
    for suggested, script in STARTERS.items():
        assert said(ask(name, "unit-chat", "run", suggested, unit=unit)) == "\n".join(TEXTS[script][TITLES[unit]])
    tools = 0
    for turn in tutor["turns"]:
        answer = said(ask(name, "unit-chat", "run", turn["question"], unit=unit))
        assert turn["answer"][0].partition("{")[0] in answer
        assert "{" not in answer
        if "quote" in turn:
            assert f"> {turn['quote']}" in answer or turn["quote"] in answer
        tools += "tool" in turn
    assert tools == 1


def test_the_tutor_goes_on_where_it_is_told_to(ask):
    ask("learner", "unit-chat", "run")
    turns = TEXTS["tutor"][TITLES["unit_sunlight"]]["turns"]
    for turn, answer in zip(turns, ("yes please", "ok", "go on", "sure"), strict=True):
        assert said(ask("learner", "unit-chat", "run", answer)).startswith(turn["answer"][0])


def test_the_tutor_looks_a_link_up(ask):
    ask("learner", "unit-chat", "run")
    answer = said(ask("learner", "unit-chat", "run", "Where is the Calvin cycle explained?"))
    assert re.search(r"^https?://\S+block@unit_sugar$", answer, re.MULTILINE), answer


def test_a_part_that_is_not_open_is_not_quoted():
    start = messages("chat_with_context", "# Check your understanding\n", "Where can I read about it?")
    call = {"role": "assistant", "content": None, "tool_calls": []}
    result = {"role": "tool", "content": "<tool_result>\nIt is not open to you.\n</tool_result>"}
    assert reply(start, ["get_location_content"]).tool["name"] == "get_location_content"
    assert reply([*start, call, result], ["get_location_content"]).text == TEXTS["fallback"]["not_found"][0]
    assert "This answer is scripted" in reply(start).text  # without tools, it does not claim to have looked


def test_what_nobody_wrote_is_said_to_be_missing(ask):
    for slot, script in (("unit-ask", "ask"), ("unit-chat", "tutor")):
        ask("learner", "unit-chat", "run")
        answer = said(ask("learner", slot, "run", "Who won the cup?"))
        assert answer.startswith("**This answer is scripted.**")
        units = TEXTS[script][TITLES["unit_sunlight"]]
        for each in units["turns"] if script == "tutor" else units:
            assert f"- {each['question']}\n" in answer


def test_a_learner_is_told_nothing_of_notes_for_staff(ask):
    assert "74" not in said(ask("learner", "unit-ask", "run", "What did van Helmont find about his willow?"))


@pytest.mark.parametrize("prompt", ["summarize_content", "explain_like_five", "answer_question", "chat_with_context"])
def test_another_course_is_quoted(prompt):
    answer = reply(messages(prompt, RIVERS)).text
    assert "This answer is scripted" in answer
    assert "“Springs”" in answer
    assert "> A river begins where groundwater reaches the surface. Many small streams join it.\n" in answer


def test_a_prompt_of_somebody_is_not_followed():
    asked = messages("summarize_content", RIVERS)
    asked[0]["content"] = asked[0]["content"].replace(builtin_prompt("summarize_content"), "Write a poem.")
    assert "cannot follow a prompt of your own" in reply(asked).text


@pytest.mark.parametrize("tools", [[], ["get_location_link"]])
def test_it_speaks_as_the_chat_api_does(monkeypatch, tools):
    for name in ("THINKING_SECONDS", "WORD_SECONDS"):
        monkeypatch.setattr(scripted_model, name, 0)
    question = "Where is the Calvin cycle explained?" if tools else "What happens at night?"
    body = {
        "model": "scripted",
        "messages": messages("chat_with_context", "# Sunlight, water and air\n", question),
        "tools": [{"type": "function", "function": {"name": name}} for name in tools],
    }
    with scripted_model.running() as url:
        whole = requests.post(f"{url}/chat/completions", json=body, timeout=10).json()
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        lines = requests.post(f"{url}/chat/completions", json=body, timeout=10).text.split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    *chunks, last, usage = (json.loads(line.removeprefix("data: ")) for line in lines[:-2])
    message, reason = whole["choices"][0]["message"], whole["choices"][0]["finish_reason"]
    assert (reason, last["choices"][0]["finish_reason"]) == (("tool_calls" if tools else "stop"),) * 2
    assert usage["usage"]["total_tokens"] == whole["usage"]["total_tokens"] > 0
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0]["role"] == "assistant"
    if tools:
        assert deltas[0]["tool_calls"][0]["function"] == message["tool_calls"][0]["function"]
    else:
        assert len(deltas) == len(message["content"].split())
        assert "".join(delta["content"] for delta in deltas) == message["content"]
