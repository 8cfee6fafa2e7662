"""Blocks whose text is in a few fields: texts, external tools, discussions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.capa import problem_text
from openedx_ai_extensions.processors.openedx.blocks.fields import (
    items,
    joined,
    lines,
    string,
    structure,
    text_in,
    titled,
)
from openedx_ai_extensions.processors.openedx.blocks.markup import TextWriter, html_text, parse_html, rich_text, squeeze
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.unknown_blocks import readable_text


def for_staff(_block: Block, omissions: set[OmissionReason]) -> str:
    """Blocks that only course staff use."""
    omissions.add(OmissionReason.STAFF)
    return ""


def html_block_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The content of a text block. Learners do not see its name."""
    return html_text(string(block, "data"), omissions)


def problem_block_text(block: Block, omissions: set[OmissionReason]) -> str:
    """A problem, without answers that are not visible."""
    data = string(block, "data")
    return titled(
        "Problem", block.display_name, problem_text(data, answers_visible=block.answers_visible, omissions=omissions)
    )


def discussion_text(block: Block, _omissions: set[OmissionReason]) -> str:
    """The topic of a discussion; its posts are not read."""
    place = (block.display_name, string(block, "discussion_category"), string(block, "discussion_target"))
    parts = dict.fromkeys(squeeze(name) for name in place)
    return titled("Discussion", " / ".join(name for name in parts if name and name.casefold() != "discussion"))


def tool_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The name and description of an external tool; other fields are connection details."""
    return titled("External tool", block.display_name, rich_text(string(block, "description"), omissions))


def unknown_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The readable fields of a block of an unknown type."""
    text = readable_text(block.fields, omissions)
    if not text:
        omissions.add(OmissionReason.UNKNOWN)
    return lines((squeeze(block.display_name), text))


class _AnnotationWriter(TextWriter):
    def enter(self, element: etree._Element, tag: str) -> bool:
        return tag == "annotation" or super().enter(element, tag)

    def leave(self, element: etree._Element, tag: str) -> None:
        super().leave(element, tag)
        if tag == "annotation":
            words = joined(": ", element.get("title") or "", element.get("body") or "")
            self.text(f" [{words}]" if words else None)
        elif tag == "instructions":
            self.break_line()


def annotatable_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The instructions, and the passage with its annotations."""
    root = parse_html(string(block, "data"), omissions)
    return titled(
        "Annotated text", block.display_name, "" if root is None else _AnnotationWriter(omissions).write(root)
    )


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
