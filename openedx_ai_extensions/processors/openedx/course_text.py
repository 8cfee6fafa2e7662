"""Converts a course's description and outline to text. The labels are for the model, and not translated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import CourseInfo, OutlineNode
from openedx_ai_extensions.processors.openedx.blocks.markup import html_text, squeeze
from openedx_ai_extensions.processors.openedx.trimming import Piece, Section

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


def info_section(info: CourseInfo, fields: Collection[str] | None = None) -> Section:
    """The description of a course.

    Args:
        info: the course.
        fields: names in ``INFO_FIELDS``; None for all. Empty ones are omitted.
    """
    texts = {name: _text(getattr(info, name)) for name in INFO_FIELDS if fields is None or name in fields}
    pieces = (_labelled(INFO_FIELDS[name], text) for name, text in texts.items() if text)
    return Section(heading="", pieces=tuple(Piece(text) for text in pieces))


def outline_sections(chapters: Iterable[OutlineNode], location: UsageKey | None = None) -> list[Section]:
    """One section per chapter, with a piece per sequence.

    Args:
        chapters: the outline.
        location: the current location, for trimming.
    """
    return [
        Section(
            heading=squeeze(chapter.display_name),
            pieces=tuple(
                Piece("\n".join(_lines([node], mark="")), here=location is not None and _holds(node, location))
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


def _holds(node: OutlineNode, location: UsageKey) -> bool:
    return node.usage_key == location or any(_holds(child, location) for child in node.children)


def _text(value: str | datetime | None) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else html_text(value or "")


def _labelled(label: str, text: str) -> str:
    return f"{label}:\n{text}" if "\n" in text else f"{label}: {text}"
