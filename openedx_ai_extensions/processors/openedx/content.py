"""The result of reading the course, for a model and for code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Block, OutlineNode, Person, RetrievalMode
from openedx_ai_extensions.processors.openedx.blocks.markup import squeeze
from openedx_ai_extensions.processors.openedx.trimming import Fitted


class CourseContent(dict[str, Any]):
    """The content that ``OpenEdXProcessor`` read. ``str()`` is the text for a model; the keys are for code.

    ``display_name``, the title, is always there; it may be empty. ``get_location_content`` adds ``retrieval_mode`` and,
    for a single unit, ``unit_id`` and its ``blocks``; otherwise ``units``, each with ``unit_id``, ``display_name`` and
    ``blocks``, and ``sequence_id`` if they belong to one sequence. A block is ``{"block_id", "type", "display_name",
    "text"}``. Only blocks that are in the text are listed.
    """

    def __init__(self, text: str, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__({"display_name": "", **(facts or {})})
        self.text = text

    def __str__(self) -> str:
        return self.text


def location_facts(fitted: Fitted, location: UsageKey, mode: RetrievalMode, user: Person) -> dict[str, Any]:
    """The keys of a ``CourseContent`` for the units around a location.

    Args:
        fitted: the sections of ``unit_sections``, fitted.
        location: the location.
        mode: which units were read.
        user: the reader.
    """
    units = [
        {
            "unit_id": str(section.block.usage_key) if section.block else "",
            "display_name": section.heading,
            "blocks": [_facts(piece.block, text) for piece, text in fitted.pieces(s) if piece.block is not None],
        }
        for s, section in enumerate(fitted.sections)
    ]
    if mode is RetrievalMode.UNIT and len(units) == 1:
        return {**units[0], "retrieval_mode": str(mode)}
    shown = [unit for unit in units if unit["blocks"]]
    place = _sequence_of(location, user)
    facts = {"display_name": place.display_name if place else "", "retrieval_mode": str(mode), "units": shown}
    return {**facts, "sequence_id": str(place.usage_key)} if place and place.category == "sequential" else facts


def _facts(block: Block, text: str) -> dict[str, str]:
    return {
        "block_id": str(block.usage_key),
        "type": block.category,
        "display_name": squeeze(block.display_name),
        "text": text,
    }


def _sequence_of(location: UsageKey, user: Person) -> OutlineNode | None:
    """The sequence that contains a location; for a chapter, the chapter itself. None otherwise."""
    way = {step.usage_key for step in get_platform().ways_to([location]).get(location, ())}
    on_it = [node for node in _nodes(get_platform().course_outline(user, location.course_key)) if node.usage_key in way]
    return next((node for node in reversed(on_it) if node.category in {"sequential", "chapter"}), None)


def _nodes(chapters: Any) -> Iterator[OutlineNode]:
    for node in chapters:
        yield node
        yield from _nodes(node.children)
