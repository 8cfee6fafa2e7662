"""Converts exercises other than problems to text: mentoring, drag and drop, open response, polls and surveys.

Correct answers and feedback are included only if the answers are visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.edxapp.safe_parsing import parse_json
from openedx_ai_extensions.processors.openedx.blocks.markup import html_text, rich_text
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.parsing import (
    clean,
    items,
    joined,
    lines,
    mappings,
    squeeze,
    string,
    structure,
    text_in,
    titled,
)

# Questions of the problem builder and the step builder: their text includes that of their children.
QUESTIONS = frozenset({"pb-mcq", "pb-mrq", "pb-rating", "pb-slider", "pb-answer", "pb-completion", "pb-swipe"})
# Texts that are shown after an answer.
FEEDBACK = frozenset({"pb-tip", "pb-message", "sb-conditional-message", "sb-review-per-question-feedback"})
# Default titles of Studio.
_DEFAULT_TITLES = frozenset(
    {"", "problem builder", "mentoring questions", "step builder", "mentoring step", "step", "question"}
)
_BLANK = "____"
_MAX_POINTS_CHARS = 9


def question_text(block: Block, omissions: set[OmissionReason]) -> str:
    """A question of the problem builder or the step builder with its choices and tips."""
    title = "" if block.display_name.strip().casefold() in _DEFAULT_TITLES else block.display_name
    asked = rich_text(string(block, "question") or string(block, "text"), omissions)
    choices = lines((*_scale(block), _bullets(_choices(block, omissions))))
    tips = lines(_tips(block, omissions))
    blank = _BLANK if block.category == "pb-answer" and asked else ""
    return titled("Question", title, asked, choices, blank, tips)


def container_text(block: Block, _omissions: set[OmissionReason]) -> str:
    """The title of a group of questions."""
    title = squeeze(block.display_name)
    return "" if title.casefold() in _DEFAULT_TITLES else title


def feedback_text(block: Block, omissions: set[OmissionReason]) -> str:
    """Feedback after an answer."""
    if not block.answers_visible:
        omissions.add(OmissionReason.ANSWERS)
        return ""
    return rich_text(string(block, "content"), omissions)


def passage_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The text around a repeated answer, or at the head of a column."""
    names = ("description", "header", "header_html", "footer_html")
    title = "" if block.display_name.strip().casefold() in {"column", "answer"} else squeeze(block.display_name)
    return lines((title, *(rich_text(string(block, name), omissions) for name in names)))


def _scale(block: Block) -> Iterator[str]:
    """The ends of a rating or slider, and the label of a checkbox or swipe."""
    if block.category == "pb-rating":
        low, high = squeeze(string(block, "low")), squeeze(string(block, "high"))
        yield f"- {joined(' ', '1', f'({low})' if low else '')} to {joined(' ', '5', f'({high})' if high else '')}"
    elif block.category == "pb-slider":
        yield joined(" \u2026 ", string(block, "min_label"), string(block, "max_label"))
    elif block.category == "pb-completion":
        yield _bullets([squeeze(string(block, "answer"))])


def _choices(block: Block, omissions: set[OmissionReason]) -> Iterator[str]:
    fields = {"pb-mrq": "required_choices", "pb-mcq": "correct_choices"}
    has_right = block.answers_visible and block.category in fields
    right = set(map(str, items(structure(block, fields[block.category], omissions)))) if has_right else set()
    for choice in block.children:
        words = squeeze(rich_text(string(choice, "content"), omissions)) if choice.category == "pb-choice" else ""
        yield f"{words} (correct)" if words and string(choice, "value") in right else words


def _tips(block: Block, omissions: set[OmissionReason]) -> Iterator[str]:
    if not block.answers_visible:
        omissions.add(OmissionReason.ANSWERS)
        return
    texts = [string(child, "content") for child in block.children if child.category in FEEDBACK]
    texts += [string(block, name) for name in ("message", "feedback_correct", "feedback_incorrect")]
    for text in texts:
        tip = squeeze(rich_text(text, omissions))
        if tip:
            yield f"Hint: {tip}"


def drag_and_drop_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The question, the zones and the items; with visible answers also which item belongs where."""
    data = structure(block, "data", omissions)
    data = data if isinstance(data, Mapping) else {}
    zones = [
        joined(": ", *(html_text(text_in(zone, name), omissions) for name in ("title", "description")))
        for zone in mappings(data.get("zones"))
    ]
    feedback = data.get("feedback")
    remarks = [text_in(feedback, "start")]
    if block.answers_visible:
        remarks += [text_in(feedback, "finish"), text_in(data, "explanation")]
    elif data:
        omissions.add(OmissionReason.ANSWERS)
    return titled(
        "Drag and drop",
        block.display_name or text_in(data, "title"),
        rich_text(string(block, "question_text") or text_in(data, "questionText"), omissions),
        _image(text_in(data, "targetImgDescription")),
        _bullets(zones, "Zones:"),
        _bullets(_drag_items(data, block.answers_visible, omissions), "Items:"),
        *(rich_text(remark, omissions) for remark in remarks),
    )


def _drag_items(data: Mapping[str, Any], answers_visible: bool, omissions: set[OmissionReason]) -> Iterator[str]:
    names = _zone_names(data)
    for item in mappings(data.get("items")):
        name = html_text(text_in(item, "displayName"), omissions)
        words = joined(" ", name, _image(text_in(item, "imageDescription")))
        if not (words and answers_visible):
            yield words
            continue
        places = [names.get(str(zone), "") for zone in items(item.get("zones") or [item.get("zone")])]
        belongs = " / ".join(filter(None, places)) or "no zone"
        remark = squeeze(html_text(text_in(item.get("feedback"), "correct"), omissions))
        yield joined(" ", f"{words} (belongs to: {belongs})", f"[{remark}]" if remark else "")


def _zone_names(data: Mapping[str, Any]) -> dict[str, str]:
    """The titles of zones, by the ids and titles that items refer to."""
    names: dict[str, str] = {}
    for zone in mappings(data.get("zones")):
        title = squeeze(html_text(text_in(zone, "title")))
        names |= {str(zone.get(key)): title for key in ("uid", "id", "title") if zone.get(key) is not None}
    return names


def open_assessment_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The prompts and the rubric, without examples, answers and dates."""
    rubric = lines(_criteria(structure(block, "rubric_criteria", omissions), omissions))
    if structure(block, "rubric_assessments", omissions):
        omissions.add(OmissionReason.ANSWERS)
    title = block.display_name or string(block, "title")
    return titled("Open response", title, lines(_prompts(block, omissions)), f"Rubric:\n{rubric}" if rubric else "")


def _prompts(block: Block, omissions: set[OmissionReason]) -> Iterator[str]:
    """A list of prompts, which the platform stores as JSON, or the single prompt of older blocks."""
    value = block.fields.get("prompt") or block.fields.get("prompts")
    if isinstance(value, str):
        text = clean(value, omissions)
        try:
            value = parse_json(text)
        except ValueError:
            value = None
        if not isinstance(value, list):
            yield rich_text(text, omissions)
    for prompt in items(value):
        yield rich_text(prompt if isinstance(prompt, str) else text_in(prompt, "description"), omissions)


def _criteria(criteria: Any, omissions: set[OmissionReason]) -> Iterator[str]:
    for criterion in mappings(criteria):
        yield _bullets([joined(": ", _label(criterion), rich_text(text_in(criterion, "prompt"), omissions))])
        for option in mappings(criterion.get("options")):
            points = option.get("points")
            is_short = isinstance(points, (int, str)) and len(str(points)) <= _MAX_POINTS_CHARS
            label = f"{_label(option)} ({points})" if is_short else _label(option)
            grade = joined(": ", label, rich_text(text_in(option, "explanation"), omissions))
            yield f"  - {grade}" if grade else ""


def _label(mapping: Mapping[str, Any]) -> str:
    return text_in(mapping, "label") or text_in(mapping, "name")


def poll_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The question and the choices of a poll of either kind."""
    choices = _bullets(_labels(block, "answers", omissions))
    return titled("Poll", block.display_name, rich_text(string(block, "question"), omissions), choices)


def survey_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The questions of a survey, and their common choices."""
    choices = " / ".join(_labels(block, "answers", omissions))
    title = string(block, "block_name") or block.display_name
    questions = _bullets(_labels(block, "questions", omissions))
    return titled("Survey", title, questions, f"Choices: {choices}" if choices else "")


def word_cloud_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The instructions of a word cloud."""
    return titled("Word cloud", block.display_name, rich_text(string(block, "instructions"), omissions))


def _labels(block: Block, field: str, omissions: set[OmissionReason]) -> Iterator[str]:
    """The labels of choices: pairs of a key and a label, or objects with a text."""
    for item in items(structure(block, field, omissions)):
        label = item[1] if isinstance(item, (list, tuple)) and len(item) == 2 else item
        text = label if isinstance(label, str) else text_in(label, "label") or text_in(label, "text")
        words = squeeze(rich_text(text, omissions)) or _image(text_in(label, "img_alt"))
        if words:
            yield words


def _image(description: str) -> str:
    description = squeeze(description)
    return f"[Image: {description}]" if description else ""


def _bullets(texts: Iterable[str], heading: str = "") -> str:
    """The texts that are not empty as a list; empty without texts."""
    bullets = [f"- {text}" for text in texts if text]
    return lines((heading, *bullets)) if bullets else ""
