"""Course blocks to compact text. The labels are for the model, and so are not translated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.capa import problem_text
from openedx_ai_extensions.processors.openedx.markup import html_text, squeeze
from openedx_ai_extensions.processors.openedx.prose import prose
from openedx_ai_extensions.processors.openedx.trimming import Piece, Section

# They arrange other blocks or carry people's own words: nothing of the course's.
_NO_TEXT = frozenset({"course", "chapter", "sequential", "vertical", "discussion"})


def block_text(block: Block) -> str:
    """What one block says, its children left out; empty when it says nothing. Never raises for odd content."""
    if block.category in _NO_TEXT:
        return ""
    return _WRITERS.get(block.category, _other)(block)


def unit_sections(
    units: Iterable[Block], location: UsageKey, categories: Collection[str] | None = None
) -> list[Section]:
    """Each unit with its blocks in reading order, whose texts are read when they are asked for.

    Args:
        units: whole units.
        location: marks what is "here" for trimming.
        categories: only blocks of these categories; None for all.
    """
    return [
        Section(
            heading=squeeze(unit.display_name),
            pieces=tuple(_pieces(unit, location, categories, here=False)),
            here=unit.usage_key == location,
        )
        for unit in units
    ]


def _pieces(block: Block, location: UsageKey, categories: Collection[str] | None, *, here: bool) -> Iterator[Piece]:
    here = here or block.usage_key == location
    if block.category not in _NO_TEXT and (categories is None or block.category in categories):
        yield Piece(partial(block_text, block), here)
    for child in block.children:
        yield from _pieces(child, location, categories, here=here)


def _html(block: Block) -> str:
    # Learners do not see an html block's name.
    return html_text(_string(block, "data"))


def _problem(block: Block) -> str:
    text = problem_text(_string(block, "data"), answers_visible=block.answers_visible)
    return _titled("Problem", block, text)


def _video(block: Block) -> str:
    transcript = squeeze(_string(block, "transcript"))
    return _titled("Video", block, f"Transcript: {transcript}" if transcript else "")


def _other(block: Block) -> str:
    return "\n".join(filter(None, (squeeze(block.display_name), prose(block.fields))))


_WRITERS: Mapping[str, Callable[[Block], str]] = {"html": _html, "problem": _problem, "video": _video}


def _titled(kind: str, block: Block, text: str) -> str:
    title = squeeze(block.display_name)
    first_line = f"{kind}: {title}" if title else f"{kind}:"
    return "\n".join(filter(None, (first_line if title or text else "", text)))


def _string(block: Block, field: str) -> str:
    value = block.fields.get(field)
    return value if isinstance(value, str) else ""
