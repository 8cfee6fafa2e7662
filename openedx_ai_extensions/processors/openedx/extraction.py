"""Converts course blocks to compact text. The labels are for the model, and not translated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import PERSONAL_CONTAINERS, Block
from openedx_ai_extensions.processors.openedx.blocks import mentoring, simple
from openedx_ai_extensions.processors.openedx.blocks.drag_and_drop import drag_and_drop_text
from openedx_ai_extensions.processors.openedx.blocks.markup import squeeze
from openedx_ai_extensions.processors.openedx.blocks.omissions import Omission, OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.open_assessment import open_assessment_text
from openedx_ai_extensions.processors.openedx.blocks.simple import annotatable_text
from openedx_ai_extensions.processors.openedx.blocks.video import video_text
from openedx_ai_extensions.processors.openedx.trimming import Fitted, Piece, Section

# Takes a block, and a set to which the reasons for omitted parts are added.
Writer = Callable[[Block, set[OmissionReason]], str]

_WRITERS: Mapping[str, Writer] = {
    "html": simple.html_block_text,
    "about": simple.html_block_text,
    "course_info": simple.html_block_text,
    "static_tab": simple.html_block_text,
    "problem": simple.problem_block_text,
    "video": video_text,
    "discussion": simple.discussion_text,
    "lti": simple.tool_text,
    "lti_consumer": simple.tool_text,
    "drag-and-drop-v2": drag_and_drop_text,
    "poll": simple.poll_text,
    "poll_question": simple.poll_text,
    "survey": simple.survey_text,
    "word_cloud": simple.word_cloud_text,
    "openassessment": open_assessment_text,
    "annotatable": annotatable_text,
    **dict.fromkeys(mentoring.QUESTIONS, mentoring.question_text),
    **dict.fromkeys(mentoring.FEEDBACK, mentoring.feedback_text),
    **dict.fromkeys(("problem-builder", "step-builder", "sb-step", "pb-table"), mentoring.container_text),
    **dict.fromkeys(("pb-answer-recap", "pb-column", "pb-dashboard"), mentoring.passage_text),
    **dict.fromkeys(("pb-data-export", "pb-instructor-tool"), simple.for_staff),
}
# Containers without text of their own.
_ARRANGE = frozenset(
    {
        "course", "chapter", "sequential", "vertical", "videosequence", "problemset", "wrapper", "library_sourced",
        "sb-review-step", "unit", "subsection", "section", *PERSONAL_CONTAINERS,
    }
)  # fmt: skip
# Blocks whose text includes that of their children.
_WHOLE = mentoring.QUESTIONS


def block_text(block: Block) -> str:
    """The text of a block, without its children unless they are parts of it; may be empty.

    Never raises an error because of a block's content.
    """
    return _read(block, set())


def omissions(blocks: Iterable[Block], categories: Collection[str] | None = None) -> list[Omission]:
    """The omissions in the texts of these blocks, for course staff.

    Args:
        blocks: with all their children.
        categories: the categories of blocks that are read; None for all.
    """
    return [entry for block in blocks for entry in _omissions(block, categories)]


def closed_entries(usage_keys: Iterable[UsageKey]) -> list[Omission]:
    """Omissions for blocks that the platform does not show to a person."""
    return [Omission(usage_key, usage_key.block_type, OmissionReason.CLOSED) for usage_key in usage_keys]


def restricted_entries(units: Iterable[Block], readable: Iterable[Block]) -> list[Omission]:
    """Omissions for blocks that the site's rules exclude: the outermost blocks of ``units`` that are not in
    ``readable``.
    """
    kept = {key for unit in readable for key in _keys(unit)}
    return [
        Omission(block.usage_key, block.category, OmissionReason.EXAM)
        for unit in units
        for block in _outermost_missing(unit, kept)
    ]


def _keys(block: Block) -> Iterator[UsageKey]:
    yield block.usage_key
    for child in block.children:
        yield from _keys(child)


def _outermost_missing(block: Block, kept: Collection[UsageKey]) -> Iterator[Block]:
    if block.usage_key not in kept:
        yield block
        return
    for child in block.children:
        yield from _outermost_missing(child, kept)


def trimmed_entries(fitted: Fitted) -> list[Omission]:
    """Omissions for pieces that were trimmed."""
    blocks = (piece.block for piece in fitted.trimmed())
    return [Omission(block.usage_key, block.category, OmissionReason.TRIMMED) for block in blocks if block is not None]


def unit_sections(
    units: Iterable[Block], location: UsageKey, categories: Collection[str] | None = None
) -> list[Section]:
    """One section per unit with its blocks in reading order. The texts are read lazily.

    Args:
        units: complete units.
        location: the current location, for trimming.
        categories: only blocks of these categories, and the blocks in them; None for all.
    """
    return [
        Section(
            heading=squeeze(unit.display_name),
            pieces=tuple(_pieces(unit, location, categories, here=False)),
            here=unit.usage_key == location,
            block=unit,
        )
        for unit in units
    ]


def _pieces(block: Block, location: UsageKey, categories: Collection[str] | None, *, here: bool) -> Iterator[Piece]:
    here = here or block.usage_key == location
    is_whole = block.category in _WHOLE
    if _is_selected(block, categories):
        yield Piece(partial(block_text, block), here or (is_whole and _holds(block, location)), block)
    for child in () if is_whole else block.children:
        yield from _pieces(child, location, _inner(block, categories), here=here)


def _omissions(block: Block, categories: Collection[str] | None) -> Iterator[Omission]:
    reasons: set[OmissionReason] = set()
    if block.category in PERSONAL_CONTAINERS and not block.children:
        reasons.add(OmissionReason.PERSONAL)
    elif not _is_selected(block, categories):
        if block.category not in _ARRANGE:
            reasons.add(OmissionReason.NOT_SELECTED)
    elif not _read(block, reasons) and not reasons and block.category not in _ARRANGE:
        reasons.add(OmissionReason.EMPTY)
    for reason in sorted(reasons):
        yield Omission(block.usage_key, block.category, reason)
    for child in () if block.category in _WHOLE else block.children:
        yield from _omissions(child, _inner(block, categories))


def _read(block: Block, reasons: set[OmissionReason]) -> str:
    if block.category in _ARRANGE:
        return ""
    return _WRITERS.get(block.category, simple.unknown_text)(block, reasons)


def _is_selected(block: Block, categories: Collection[str] | None) -> bool:
    return block.category not in _ARRANGE and (categories is None or block.category in categories)


def _inner(block: Block, categories: Collection[str] | None) -> Collection[str] | None:
    """Selecting a container selects the blocks in it too; a unit does not count as a container here."""
    is_chosen = categories is not None and block.category in categories and block.category != "vertical"
    return None if is_chosen else categories


def _holds(block: Block, location: UsageKey) -> bool:
    return any(child.usage_key == location or _holds(child, location) for child in block.children)
