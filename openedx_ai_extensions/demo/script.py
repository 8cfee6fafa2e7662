"""What the script says where no model here can write data by a form: always the same, whoever asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("script.json")
REPLACING = "The question to replace:"  # so says the processor that asks for one question in place of another


def answer(form: str, asked: str) -> str:
    """The answer as JSON.

    Args:
        form: what is wanted, ``quiz_questions`` or ``flashcards``; both for any other word.
        asked: all that a model would read.
    """
    script = _script()
    # What the text that is asked about mentions comes first.
    cards, questions = (_fitting(script[name], asked) for name in ("cards", "questions"))
    if form == "flashcards":
        return json.dumps({"cards": cards})
    if form == "quiz_questions" and REPLACING in asked:
        questions = [_another(questions, asked)]
    whole = {"collection_name": script["collection_name"], "questions": questions}
    return json.dumps(whole if form == "quiz_questions" else {**whole, "cards": cards})


def _fitting(items: Iterable[Mapping[str, Any]], asked: str) -> list[dict[str, Any]]:
    ordered = sorted(items, key=lambda item: item["about"] not in asked)
    return [{name: value for name, value in item.items() if name != "about"} for item in ordered]


def _another(questions: Sequence[dict[str, Any]], asked: str) -> dict[str, Any]:
    """The next question after the one to replace that is not among those that stay."""
    replaced = asked.partition(REPLACING)[2].partition("\n\n")[0]
    start = next((place for place, question in enumerate(questions) if question["display_name"] in replaced), 0)
    following = [*questions[start + 1 :], *questions[:start]]
    return next((question for question in following if _plain(question["question_html"]) not in asked), following[0])


def _plain(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


@cache
def _script() -> dict[str, Any]:
    script: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return script
