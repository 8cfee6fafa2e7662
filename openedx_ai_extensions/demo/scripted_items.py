"""The script's quiz questions and flashcards: written in advance for the demo course, gaps in sentences for others."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from openedx_ai_extensions.demo.scripted_texts import content_of, is_known, sentences

FILE = Path(__file__).parent / "script" / "items.json"
REPLACING = "The question to replace:"  # in the processor's request for a single new question
MAX_GAPS = 20
MAX_SENTENCE_CHARS = 300
GAP = "_____"


def items(form: str, asked: str) -> str:
    """Questions or cards as JSON: cards about the text in ``asked``, and questions with those about it first.

    Args:
        form: ``quiz_questions`` or ``flashcards``; any other name gets both.
        asked: the whole request.
    """
    content = content_of(asked)
    script = _gaps(content) if content and not is_known(content) else _script()
    cards, questions = (_ordered(script[name], asked) for name in ("cards", "questions"))
    if form == "flashcards":
        about = [card for card in script["cards"] if card["about"] in (content or asked)]
        return json.dumps({"cards": _ordered(about, asked) or cards})
    if form == "quiz_questions" and REPLACING in asked:
        questions = [_replacement(questions, asked)]
    quiz = {"collection_name": script["collection_name"], "questions": questions}
    return json.dumps(quiz if form == "quiz_questions" else {**quiz, "cards": cards})


def _ordered(items: Iterable[Mapping[str, Any]], asked: str) -> list[dict[str, Any]]:
    ordered = sorted(items, key=lambda item: item["about"] not in asked)
    return [{name: value for name, value in item.items() if name != "about"} for item in ordered]


def _replacement(questions: Sequence[dict[str, Any]], asked: str) -> dict[str, Any]:
    """The next question after the one to replace that is not in use."""
    replaced = asked.partition(REPLACING)[2].partition("\n\n")[0]
    start = next((index for index, question in enumerate(questions) if question["display_name"] in replaced), 0)
    following = [*questions[start + 1 :], *questions[:start]]
    unused = (each for each in following if re.sub(r"<[^>]+>", "", each["question_html"]) not in asked)
    return next(unused, following[0])


def _gaps(content: str) -> dict[str, Any]:
    """Items about a text that nobody has written any for: the longest word of each sentence is left out."""
    cards, questions = [], []
    # Not in formulas, which a gap would break.
    short = [
        sentence for sentence in sentences(content) if len(sentence) <= MAX_SENTENCE_CHARS and "\\" not in sentence
    ]
    for number, sentence in enumerate(short[:MAX_GAPS], start=1):
        word = max(re.findall(r"[^\W\d_]+", sentence), key=len)
        text = sentence.replace(word, GAP, 1)
        cards.append({"about": "", "question": f"Scripted, without AI: which word is missing?\n{text}", "answer": word})
        questions.append(
            {
                "about": "",
                "display_name": f"Missing word {number}",
                "question_html": f"<p>Which word is missing? {html.escape(text)}</p>",
                "problem_type": "stringresponse",
                "choices": [],
                "answer_value": word,
                "tolerance": None,
                "explanation": "This question is scripted: it was made out of a sentence of the unit, without AI.",
                "demand_hints": [],
            }
        )
    return {"collection_name": "Missing words", "cards": cards, "questions": questions}


@cache
def _script() -> dict[str, Any]:
    script: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return script
