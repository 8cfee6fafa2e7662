"""Problem builder and step builder: each question and its choices as one text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.fields import items, joined, lines, string, structure, titled
from openedx_ai_extensions.processors.openedx.blocks.markup import rich_text, squeeze
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason

# Blocks whose text includes that of their children.
QUESTIONS = frozenset({"pb-mcq", "pb-mrq", "pb-rating", "pb-slider", "pb-answer", "pb-completion", "pb-swipe"})
# Texts that are shown after an answer.
FEEDBACK = frozenset({"pb-tip", "pb-message", "sb-conditional-message", "sb-review-per-question-feedback"})
# Default titles of Studio.
_DEFAULT_TITLES = frozenset(
    {"", "problem builder", "mentoring questions", "step builder", "mentoring step", "step", "question"}
)
_BLANK = "____"


def question_text(block: Block, omissions: set[OmissionReason]) -> str:
    """A question with its choices; correct ones and tips only if the answers are visible."""
    title = "" if block.display_name.strip().casefold() in _DEFAULT_TITLES else block.display_name
    asked = rich_text(string(block, "question") or string(block, "text"), omissions)
    choices = lines((*_scale(block), *_choices(block, omissions)))
    tips = lines(_tips(block, omissions))
    blank = _BLANK if block.category == "pb-answer" and asked else ""
    return titled("Question", title, asked, choices, blank, tips)


def container_text(block: Block, _omissions: set[OmissionReason]) -> str:
    """The title of a group of questions."""
    title = squeeze(block.display_name)
    return "" if title.casefold() in _DEFAULT_TITLES else title


def feedback_text(block: Block, omissions: set[OmissionReason]) -> str:
    """Feedback after an answer, if the answers are visible."""
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
        label = squeeze(string(block, "answer"))
        yield f"- {label}" if label else ""


def _choices(block: Block, omissions: set[OmissionReason]) -> Iterator[str]:
    right = _right_values(block, omissions) if block.answers_visible else frozenset()
    for choice in block.children:
        if choice.category != "pb-choice":
            continue
        words = squeeze(rich_text(string(choice, "content"), omissions))
        if words:
            yield f"- {words} (correct)" if string(choice, "value") in right else f"- {words}"


def _right_values(block: Block, omissions: set[OmissionReason]) -> frozenset[str]:
    fields = {"pb-mrq": "required_choices", "pb-mcq": "correct_choices"}
    values: Any = structure(block, fields[block.category], omissions) if block.category in fields else None
    return frozenset(str(value) for value in items(values))


def _tips(block: Block, omissions: set[OmissionReason]) -> Iterator[str]:
    texts = [string(child, "content") for child in block.children if child.category in FEEDBACK]
    texts += [string(block, name) for name in ("message", "feedback_correct", "feedback_incorrect")]
    if not block.answers_visible:
        omissions.add(OmissionReason.ANSWERS)
        return
    for text in texts:
        tip = squeeze(rich_text(text, omissions))
        if tip:
            yield f"Hint: {tip}"
