"""Validates and sanitises quiz questions of models and of authors' browsers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator

from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.processors.openedx.author_olx import read_olx
from openedx_ai_extensions.processors.openedx.problem_olx import CATEGORY, option_text, problem_olx
from openedx_ai_extensions.processors.openedx.safe_html import MARKUP, clean_html, plain_text, printable, unmarked
from openedx_ai_extensions.prompts.builtin import builtin_schema

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_ANSWER = re.compile(rf"{_NUMBER}(?:/0*+[1-9]\d*+)?", re.ASCII)
_TOLERANCE = re.compile(rf"(?!-){_NUMBER}%?", re.ASCII)
_ONE_RIGHT = ("multiplechoiceresponse", "optionresponse")
_WITH_CHOICES = (*_ONE_RIGHT, "choiceresponse")
_OPTIONAL: Mapping[str, Any] = {
    "choices": [], "answer_value": None, "tolerance": None, "explanation": "", "demand_hints": [],
}  # fmt: skip


def read_question(raw: Any) -> dict[str, Any]:
    """Validate and sanitise a question from a browser; adds its OLX as ``olx`` (``{"category", "data"}``).

    Fields that a type does not need may be absent or null; numbers may be JSON numbers. Plain texts are kept unchanged.
    The browser's ``olx`` is ignored: see ``olx_to_save``.

    Raises:
        InvalidRequest: it is not a question, or it cannot be graded; lists all problems.
    """
    if not isinstance(raw, Mapping):
        raise InvalidRequest(_("This is not a question."))
    question = {**raw, **{name: value for name, value in _OPTIONAL.items() if raw.get(name) is None}}
    for name in ("answer_value", "tolerance"):
        if isinstance(question[name], int | float) and not isinstance(question[name], bool):
            question[name] = str(question[name])
    if isinstance(question["choices"], list):
        question["choices"] = [_with_feedback(choice) for choice in question["choices"]]
    errors = sorted(_validator().iter_errors(question), key=lambda error: error.json_path)
    if errors:
        paths = ", ".join(dict.fromkeys(error.json_path for error in errors))
        raise InvalidRequest(_("Missing or not valid: {paths}.").format(paths=paths))
    clean = _clean(question, title=_stripped, text=_stripped)
    problems = list(question_problems(clean))
    if problems:
        raise InvalidRequest(problems)
    return clean


def olx_to_save(raw: Any, handed_out: Iterable[Mapping[str, Any]] = ()) -> dict[str, str]:
    """The OLX of a question from a browser, as ``{"category", "data"}``.

    OLX that differs from the generated one was edited by the author: it is validated and used, whatever the other
    fields contain. If the OLX is a generated one and the fields have changed since, the fields are used.

    Args:
        handed_out: versions of questions that the browser received.

    Raises:
        InvalidRequest: neither can be used; lists all problems.
    """
    sent = _sent_olx(raw)
    is_outdated = any(_sent_olx(known) == sent and _fields(known) != _fields(raw) for known in handed_out)
    if sent is None or is_outdated:
        return dict(read_question(raw)["olx"])
    try:
        ours = read_question(raw)["olx"]
    except InvalidRequest:
        ours = None
    if ours is not None and ours["data"] == sent:
        return dict(ours)
    return {"category": CATEGORY, "data": read_olx(sent, title=_stripped(str(raw.get("display_name") or "")))}


def _sent_olx(raw: Any) -> str | None:
    olx = raw.get("olx") if isinstance(raw, Mapping) else None
    data = olx.get("data") if isinstance(olx, Mapping) else None
    return data if isinstance(data, str) and data.strip() else None


def _fields(question: Mapping[str, Any]) -> dict[str, Any]:
    """All fields except the OLX, for comparison: absent, null and empty values are equal."""
    choices = [
        {name: choice.get(name) or None for name in ("text", "is_correct", "feedback")}
        if isinstance(choice, Mapping)
        else choice
        for choice in question.get("choices") or ()
    ]
    names = ("display_name", "question_html", "problem_type", *_OPTIONAL)
    return {**{name: question.get(name) or None for name in names}, "choices": choices}


def clean_question(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Sanitise a question of a model that satisfies the schema; plain text fields get plain text.

    It has an ``olx`` if it can be graded.
    """
    return _clean(raw, title=plain_text, text=unmarked)


def _clean(raw: Mapping[str, Any], *, title: Callable[[str], str], text: Callable[[str], str]) -> dict[str, Any]:
    kind = raw["problem_type"]
    choices = [
        {"text": text(choice["text"]), "is_correct": choice["is_correct"], "feedback": text(choice["feedback"])}
        for choice in raw["choices"]
    ]
    question: dict[str, Any] = {
        "display_name": title(raw["display_name"]),
        "question_html": clean_html(raw["question_html"]),
        "problem_type": kind,
        "choices": choices if kind in _WITH_CHOICES else [],
        "answer_value": None if kind in _WITH_CHOICES else _stripped(raw["answer_value"] or ""),
        "tolerance": (_stripped(raw["tolerance"] or "") or None) if kind == "numericalresponse" else None,
        "explanation": text(raw["explanation"]),
        "demand_hints": [hint for hint in map(text, raw["demand_hints"]) if hint],
    }
    if not any(question_problems(question)):
        question["olx"] = {"category": CATEGORY, "data": problem_olx(question)}
    return question


def _stripped(text: str) -> str:
    return printable(text).strip()


def question_problems(question: Mapping[str, Any]) -> Iterator[str]:
    """The problems that prevent a sanitised question from being shown and graded, in words for an author or a model."""
    if not plain_text(question["question_html"]):
        yield _("question_html has no text.")
    if not question["display_name"]:
        yield _("display_name has no text.")
    kind, answer = question["problem_type"], question["answer_value"] or ""
    if kind in _WITH_CHOICES:
        yield from _choice_problems(question)
    elif kind == "numericalresponse":
        if not _ANSWER.fullmatch(answer):
            yield _("answer_value must be a number such as 3.5, -2e-3 or 2/3.")
        if question["tolerance"] and not _TOLERANCE.fullmatch(question["tolerance"]):
            yield _("tolerance must be a number such as 0.1, or a percentage such as 5%.")
    elif not answer or MARKUP.search(answer) or "\n" in answer or "_or_" in answer.lower() or "$" in answer:
        # The problem block gives "_or_" and "$" a different meaning.
        yield _("answer_value must be a word or a short phrase without tags, $ or _or_.")


def _choice_problems(question: Mapping[str, Any]) -> Iterator[str]:
    kind = question["problem_type"]
    texts = [
        option_text(choice["text"]) if kind == "optionresponse" else choice["text"] for choice in question["choices"]
    ]
    right = sum(choice["is_correct"] for choice in question["choices"])
    if len(texts) < 2:
        yield _("choices must be two or more.")
    if not all(texts):
        yield _("A choice has no text.")
    if len(set(texts)) < len(texts):
        yield _("Two choices are the same.")
    if kind in _ONE_RIGHT and right != 1:
        yield _("Exactly one choice must be correct.")
    elif right == 0:
        yield _("One or more choices must be correct.")


def _with_feedback(choice: Any) -> Any:
    is_without = isinstance(choice, Mapping) and choice.get("feedback") is None
    return {**choice, "feedback": ""} if is_without else choice


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(builtin_schema("quiz_questions")["properties"]["questions"]["items"])
