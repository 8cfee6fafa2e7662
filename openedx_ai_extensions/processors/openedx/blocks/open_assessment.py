"""Open response assessments: prompts and rubric. No examples, answers or dates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.fields import (
    items,
    joined,
    lines,
    mappings,
    string,
    structure,
    text_in,
    titled,
)
from openedx_ai_extensions.processors.openedx.blocks.markup import rich_text, squeeze
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.parsing import clean


def open_assessment_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The prompts and the rubric."""
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
        value = _listed(text)
        if value is None:
            yield rich_text(text, omissions)
    for prompt in items(value):
        yield rich_text(prompt if isinstance(prompt, str) else text_in(prompt, "description"), omissions)


def _listed(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def _criteria(criteria: Any, omissions: set[OmissionReason]) -> Iterator[str]:
    for criterion in mappings(criteria):
        name = joined(": ", _label(criterion), rich_text(text_in(criterion, "prompt"), omissions))
        if name:
            yield f"- {name}"
        for option in mappings(criterion.get("options")):
            grade = joined(": ", _label(option) + _points(option), rich_text(text_in(option, "explanation"), omissions))
            if grade:
                yield f"  - {grade}"


def _label(mapping: Mapping[str, Any]) -> str:
    return squeeze(text_in(mapping, "label") or text_in(mapping, "name"))


def _points(option: Mapping[str, Any]) -> str:
    points = option.get("points")
    return f" ({points})" if isinstance(points, (int, str)) and len(str(points)) < 10 else ""
