"""Polls, surveys and word clouds: questions and choices. Votes are not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.fields import items, lines, string, structure, text_in, titled
from openedx_ai_extensions.processors.openedx.blocks.markup import rich_text, squeeze
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason


def poll_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The question and the choices of a poll of either kind."""
    choices = lines(f"- {label}" for label in _labels(structure(block, "answers", omissions), omissions))
    return titled("Poll", block.display_name, rich_text(string(block, "question"), omissions), choices)


def survey_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The questions of a survey, and their common choices."""
    choices = " / ".join(_labels(structure(block, "answers", omissions), omissions))
    questions = lines(f"- {label}" for label in _labels(structure(block, "questions", omissions), omissions))
    title = string(block, "block_name") or block.display_name
    return titled("Survey", title, questions, f"Choices: {choices}" if choices else "")


def word_cloud_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The instructions of a word cloud."""
    return titled("Word cloud", block.display_name, rich_text(string(block, "instructions"), omissions))


def _labels(pairs: Any, omissions: set[OmissionReason]) -> Iterator[str]:
    """The labels of choices: pairs of a key and a label, or objects with a text."""
    for item in items(pairs):
        label = item[1] if isinstance(item, (list, tuple)) and len(item) == 2 else item
        if isinstance(label, Mapping):
            picture = squeeze(text_in(label, "img_alt"))
            words = squeeze(rich_text(text_in(label, "label") or text_in(label, "text"), omissions))
            label = words or (f"[Image: {picture}]" if picture else "")
        elif isinstance(label, str):
            label = squeeze(rich_text(label, omissions))
        if isinstance(label, str) and label:
            yield label
