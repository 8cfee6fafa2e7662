"""Polls, surveys and word clouds: what is asked, and what may be chosen. Nobody's votes are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.fields import items, lines, string, structure, text_in, titled
from openedx_ai_extensions.processors.openedx.blocks.markup import rich_text, squeeze
from openedx_ai_extensions.processors.openedx.blocks.omissions import Reason


def poll_text(block: Block, left_out: set[Reason]) -> str:
    """A poll of either kind: its question and choices."""
    choices = lines(f"- {label}" for label in _labels(structure(block, "answers", left_out), left_out))
    return titled("Poll", block.display_name, rich_text(string(block, "question"), left_out), choices)


def survey_text(block: Block, left_out: set[Reason]) -> str:
    """A survey: its questions, and the choices that all of them share."""
    choices = " / ".join(_labels(structure(block, "answers", left_out), left_out))
    questions = lines(f"- {label}" for label in _labels(structure(block, "questions", left_out), left_out))
    title = string(block, "block_name") or block.display_name
    return titled("Survey", title, questions, f"Choices: {choices}" if choices else "")


def word_cloud_text(block: Block, left_out: set[Reason]) -> str:
    """A word cloud: what learners are told to do."""
    return titled("Word cloud", block.display_name, rich_text(string(block, "instructions"), left_out))


def _labels(pairs: Any, left_out: set[Reason]) -> Iterator[str]:
    """Names of choices: pairs of a key and a label, or objects with a text."""
    for item in items(pairs):
        label = item[1] if isinstance(item, (list, tuple)) and len(item) == 2 else item
        if isinstance(label, Mapping):
            picture = squeeze(text_in(label, "img_alt"))
            words = squeeze(rich_text(text_in(label, "label") or text_in(label, "text"), left_out))
            label = words or (f"[Image: {picture}]" if picture else "")
        elif isinstance(label, str):
            label = squeeze(rich_text(label, left_out))
        if isinstance(label, str) and label:
            yield label
