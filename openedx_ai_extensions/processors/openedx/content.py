"""What ``OpenEdXProcessor`` returns, and the text of a course's description and outline.

The labels in texts are for the model, and not translated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import CourseInfo, OutlineNode, Person, RetrievalMode
from openedx_ai_extensions.processors.openedx.blocks.markup import html_text
from openedx_ai_extensions.processors.openedx.blocks.parsing import squeeze
from openedx_ai_extensions.processors.openedx.trimming import Fitted, Piece, Section

INFO_FIELDS: Mapping[str, str] = {
    "title": "Course",
    "short_description": "In short",
    "description": "Description",
    "overview": "Overview",
    "syllabus": "Syllabus",
    "language": "Language",
    "start": "Starts",
    "end": "Ends",
}


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
            "blocks": [
                {
                    "block_id": str(piece.block.usage_key),
                    "type": piece.block.category,
                    "display_name": squeeze(piece.block.display_name),
                    "text": text,
                }
                for piece, text in fitted.pieces(s)
                if piece.block is not None
            ],
        }
        for s, section in enumerate(fitted.sections)
    ]
    if mode is RetrievalMode.UNIT and len(units) == 1:
        return {**units[0], "retrieval_mode": str(mode)}
    shown = [unit for unit in units if unit["blocks"]]
    place = _sequence_of(location, user)
    facts = {"display_name": place.display_name if place else "", "retrieval_mode": str(mode), "units": shown}
    return {**facts, "sequence_id": str(place.usage_key)} if place and place.category == "sequential" else facts


def _sequence_of(location: UsageKey, user: Person) -> OutlineNode | None:
    """The sequence that contains a location; for a chapter, the chapter itself. None otherwise."""
    way = {step.usage_key for step in get_platform().ways_to([location]).get(location, ())}
    on_it = [node for node in _nodes(get_platform().course_outline(user, location.course_key)) if node.usage_key in way]
    return next((node for node in reversed(on_it) if node.category in {"sequential", "chapter"}), None)


def _nodes(nodes: Iterable[OutlineNode]) -> Iterator[OutlineNode]:
    """The nodes and all their descendants."""
    for node in nodes:
        yield node
        yield from _nodes(node.children)


def info_section(info: CourseInfo, fields: Collection[str] | None = None) -> Section:
    """The description of a course: the ``fields`` (names in ``INFO_FIELDS``, None for all) that are not empty."""
    texts = {name: _text(getattr(info, name)) for name in INFO_FIELDS if fields is None or name in fields}
    pieces = (_labelled(INFO_FIELDS[name], text) for name, text in texts.items() if text)
    return Section(heading="", pieces=tuple(Piece(text) for text in pieces))


def outline_sections(chapters: Iterable[OutlineNode], location: UsageKey | None = None) -> list[Section]:
    """One section per chapter, with a piece per sequence. ``location`` is the current one, for trimming."""
    return [
        Section(
            heading=squeeze(chapter.display_name),
            pieces=tuple(
                Piece("\n".join(_lines([node], mark="")), any(each.usage_key == location for each in _nodes([node])))
                for node in chapter.children
            ),
            here=chapter.usage_key == location,
        )
        for chapter in chapters
    ]


def _lines(nodes: Sequence[OutlineNode], mark: str) -> Iterable[str]:
    for node in nodes:
        title = squeeze(node.display_name)
        if title:
            yield f"{mark}{title}"
        yield from _lines(node.children, mark="- ")


def _text(value: str | datetime | None) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else html_text(value or "")


def _labelled(label: str, text: str) -> str:
    return f"{label}:\n{text}" if "\n" in text else f"{label}: {text}"
