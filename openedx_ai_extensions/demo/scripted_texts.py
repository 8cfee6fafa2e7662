"""What the script says in words: answers written in advance for each unit of the demo course.

A question is recognised by key words. Where nothing was written, the answer says so, and what can be asked instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from openedx_ai_extensions.prompts.builtin import builtin_prompt
from openedx_ai_extensions.prompts.follow_ups import MAX_QUESTIONS

FOLDER = Path(__file__).parent / "script"
MAX_QUOTED_CHARS = 300
MIN_SENTENCE_CHARS = 25
# Files by what occurs in a prompt that the author of a profile wrote.
CUSTOM_PROMPTS = {"most important terms": "terms", "exam questions": "exam"}
# "Yes" and the like: the learner takes up what the tutor has offered.
GO_ON = re.compile(r"\s*(?:yes|yeah|ok|okay|sure|please|go on|continue|next|more|begin|start)\b", re.IGNORECASE)
MAX_GO_ON_CHARS = 30
# Files by words of the questions that base/chat.json5 suggests.
SUGGESTED = {
    "main ideas of this unit": "summary",
    "hardest part": "simple",
    "explain this": "simple",  # followed by a passage that the learner selected
    "check what i know": "check",
}
LABEL = re.compile(r"【\d{5}】 ?")  # of a passage that can be cited
MIN_SHARED_WORDS = 3  # of a paragraph and the passage that it cites
BEGINNING_CHARS = 40  # tells the answers of a unit apart

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the script says, or the tool that it calls first.

    Attributes:
        tool: ``name`` and ``arguments`` of the call.
    """

    text: str = ""
    tool: Mapping[str, Any] = field(default_factory=dict)


def reply(messages: Sequence[Message], tools: Sequence[str] = ()) -> Reply:
    """The answer to a request, with citations if the request asks for them.

    Args:
        messages: in OpenAI's format, as the plugin sends them.
        tools: the names of the tools that may be called.
    """
    read = "\n\n".join(str(message.get("content")) for message in messages if message["role"] in {"system", "tool"})
    unmarked = [{**message, "content": LABEL.sub("", str(message.get("content") or ""))} for message in messages]
    answer = _reply(unmarked, tools)
    text = _with_citations(answer.text, read)
    if text and builtin_prompt("follow_ups") in read and _last_question(unmarked):
        said = "\n".join(message["content"] for message in unmarked if message["role"] != "system")
        questions = (f"【?】 {question}" for question in _next_questions(read, said + text))
        text = "\n".join([text, *questions])
    return Reply(text, answer.tool)


def _next_questions(read: str, said: str) -> list[str]:
    """Questions about this unit that neither the learner has asked nor the answer names."""
    questions = (str(turn["question"]) for turn in _Unit(content_of(LABEL.sub("", read))).own_questions("tutor"))
    return [question for question in questions if question not in said][:MAX_QUESTIONS]


def _reply(messages: Sequence[Message], tools: Sequence[str]) -> Reply:
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    unit = _Unit(content_of(system))
    if system.startswith(builtin_prompt("chat_with_context")):
        return _tutor(unit, messages, tools)
    if system.startswith(builtin_prompt("answer_question")):
        return Reply(_answer(unit, _last_question(messages)))
    for name, prompt in (("summary", "summarize_content"), ("simple", "explain_like_five")):
        if system.startswith(builtin_prompt(prompt)):
            return Reply(unit.text(name) or unit.fallback(name))
    prompt = system.partition("<course_content>")[0].casefold()
    name = next((name for words, name in CUSTOM_PROMPTS.items() if words in prompt), "")
    return Reply((name and unit.text(name)) or unit.fallback("custom"))


def _with_citations(text: str, read: str) -> str:
    """The text with the label of a passage after each paragraph that shares enough words with one."""
    passages = {label: _long_words(passage) for label, passage in re.findall(r"(【\d{5}】) ([^【]*)", read)}
    lines = text.splitlines()
    last = ""
    for number, line in enumerate(lines):
        words = _long_words(line)
        label = max(passages, key=lambda each: len(words & passages[each]), default="")
        if label and label != last and len(words & passages[label]) >= MIN_SHARED_WORDS and "|" not in line:
            lines[number] = re.sub(r"[.:!?]?$", rf" {label}\g<0>", line.rstrip(), count=1)
            last = label
    return "\n".join(lines)


def _long_words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{5,}", text.casefold()))


def content_of(asked: str) -> str:
    """The course content in a request, without its tags; empty if there is none."""
    found = re.search(r"<course_content>\n(.*)\n</course_content>", asked, re.DOTALL)
    return found[1] if found else ""


def is_known(content: str) -> bool:
    """Is it a unit of the demo course?"""
    return _title(content) in _script("summary")


def sentences(content: str) -> list[str]:
    """The sentences of a text, without headings, lists of choices and tables."""
    prose = (line for line in content.splitlines() if line and not re.match(r"#|[-*\[\\]|\d+\.\s|\w+:", line))
    found = [each for line in prose if " | " not in line for each in re.split(r"(?<=[.!?])\s+", line.strip())]
    return [each for each in found if len(each) >= MIN_SENTENCE_CHARS and re.search(r"[^\W\d_].*[.!?]$", each)]


class _Unit:
    """The unit that a request is about: the last one in its course content."""

    def __init__(self, content: str) -> None:
        self.title = _title(content)
        self.content = content[content.rfind(f"# {self.title}\n") :] if self.title else content

    def text(self, name: str) -> str:
        """What a file has for this unit; empty if nothing."""
        return "\n".join(_script(name).get(self.title, ()))

    def questions(self, name: str) -> Iterator[Mapping[str, Any]]:
        """What can be asked: about this unit first, then about the others."""
        yield from self.own_questions(name)
        if self.title in _script(name):
            for title in _script(name):
                yield from (each for each in _script(name)[title] if not each.get("only_here"))

    def own_questions(self, name: str) -> Sequence[Mapping[str, Any]]:
        unit = _script(name).get(self.title, [])
        return unit["turns"] if isinstance(unit, dict) else unit

    def fallback(self, name: str, questions: Sequence[str] = ()) -> str:
        begin = ""
        for sentence in sentences(self.content):
            if begin and len(begin) + len(sentence) > MAX_QUOTED_CHARS:
                break
            begin = f"{begin} {sentence}".strip()
        words = {
            "title": self.title or "this unit",
            "begin": begin[: 2 * MAX_QUOTED_CHARS] or "(no text)",
            "questions": "\n".join(f"- {question}" for question in questions),
        }
        return "\n".join(_script("fallback")[name]).format_map(words)


def _tutor(unit: _Unit, messages: Sequence[Message], tools: Sequence[str]) -> Reply:
    asked = _last_question(messages)
    if not asked:
        return Reply("\n".join(_script("tutor").get(unit.title, {}).get("greeting", ())) or _no_answer(unit, "tutor"))
    suggested = next((name for words, name in SUGGESTED.items() if words in asked.casefold()), "")
    if suggested and unit.text(suggested):
        return Reply(unit.text(suggested))
    said = "\n".join(str(message.get("content")) for message in messages if message["role"] == "assistant")
    own = [turn for turn in unit.own_questions("tutor") if _is_possible(turn, tools)]
    turn = _matching(own, asked)
    if turn is None and len(asked) <= MAX_GO_ON_CHARS and GO_ON.match(asked):
        turn = next((turn for turn in own if "\n".join(turn["answer"])[:BEGINNING_CHARS] not in said), None)
    if turn is None:
        return Reply(_answer(unit, asked, "tutor"))
    text = "\n".join(turn["answer"])
    if "tool" not in turn:
        return Reply(text)
    if messages[-1]["role"] != "tool":
        return Reply(tool=turn["tool"])
    return Reply(_with_result(text, str(messages[-1]["content"]), turn.get("quote", "")))


def _answer(unit: _Unit, asked: str, name: str = "ask") -> str:
    turn = _matching(unit.questions("ask"), asked) if asked else None
    return "\n".join(turn["answer"]) if turn else _no_answer(unit, name)


def _no_answer(unit: _Unit, name: str) -> str:
    questions = [turn["question"] for turn in unit.own_questions(name)]
    return unit.fallback("questions" if questions else "no_questions", questions)


def _matching(turns: Iterator[Mapping[str, Any]] | Sequence[Mapping[str, Any]], asked: str) -> Mapping[str, Any] | None:
    """The first one whose key words all occur at the beginning of a word."""
    return next(
        (turn for turn in turns if all(re.search(rf"\b(?:{words})", asked, re.IGNORECASE) for words in turn["when"])),
        None,
    )


def _is_possible(turn: Mapping[str, Any], tools: Sequence[str]) -> bool:
    return "tool" not in turn or turn["tool"]["name"] in tools


def _with_result(text: str, result: str, quote: str) -> str:
    """The answer with what the tool has said in place of its placeholders."""
    result = re.sub(r"</?tool_result>", "", result).strip()
    try:
        data = json.loads(result)
    except ValueError:
        data = None
    words = data if isinstance(data, dict) else {"result": result}
    if quote:
        line = next((line for line in result.splitlines() if quote in line), None)
        words = {"quote": re.sub(r"^[\d.\s-]+", "", line)} if line else {}
    try:
        return text.format_map(words)
    except (KeyError, IndexError, TypeError):
        return "\n".join(_script("fallback")["not_found"])


def _last_question(messages: Sequence[Message]) -> str:
    """The learner's last words; empty if the learner has not said anything yet."""
    texts = [str(message.get("content")) for message in messages if message["role"] == "user"]
    found = re.search(r"<learner_message>\n(.*)\n</learner_message>", texts[-1], re.DOTALL) if texts else None
    return found[1].strip() if found else ""


def _title(content: str) -> str:
    titles: list[str] = re.findall(r"^# (.+)$", content, re.MULTILINE)
    return titles[-1].strip() if titles else ""


@cache
def _script(name: str) -> dict[str, Any]:
    script: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return script
