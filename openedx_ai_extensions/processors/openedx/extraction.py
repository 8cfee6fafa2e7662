"""Converts course blocks to compact text. The labels are for the model, and not translated."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Any

from lxml import etree
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import PERSONAL_CONTAINERS, Block
from openedx_ai_extensions.processors.openedx.blocks import exercises
from openedx_ai_extensions.processors.openedx.blocks.capa import problem_text
from openedx_ai_extensions.processors.openedx.blocks.markup import TextWriter, html_text, rich_text
from openedx_ai_extensions.processors.openedx.blocks.omissions import Omission, OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.parsing import (
    MAX_MARKUP_CHARS,
    clean,
    joined,
    lines,
    parse_html,
    squeeze,
    string,
    titled,
)
from openedx_ai_extensions.processors.openedx.blocks.video import seconds_of, video_text
from openedx_ai_extensions.processors.openedx.trimming import Fitted, Piece, Section
from openedx_ai_extensions.prompts.citations import Passage, Passages, labelled

# Fields of blocks of unknown types whose names and values look like text for learners.
_READABLE_NAME = re.compile(
    r"(?:.*_)?(?:body|caption|content|data|description|heading|html|instructions?|intro|introduction|message|overview"
    r"|paragraph|prompt|question|statement|subtitle|summary|text|title)"
)
_SECRET_NAME = re.compile(
    r"answer|api_|auth|correct|credential|example|explan|feedback|grad|hint|instructor|key|note|passport|passphrase"
    r"|password|private|rubric|secret|signature|solution|staff|teacher|token"
)
_JSON_OR_ADDRESS = re.compile(r"\s*+(?:[\[{]|\w++://|/\S*+$)")
# Elements of problems, which may contain answers; other markup is HTML.
_PROBLEM_MARKUP = re.compile(
    r"<\s*+/?\s*+(?:[\w.:-]*(?:answer|hint|response|param)|[\w.:-]*:?(?:solution|explanation|feedback))\b"
    r"|detailed-solution",
    re.IGNORECASE,
)
_TWO_WORDS = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}+[,;:]?\s+\S?[^\W\d_]{2,}")
# Scripts without spaces between words.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{4,}")

# The number of characters in which text for people is recognised.
_CHECKED_CHARS = 1000
# The minimum length of a passage that can be cited, unless it is the last one of its block.
PASSAGE_CHARS = 600
_CODE_FENCE = "```"
_WITHIN_BLOCK = re.compile(r"\s|[-*+] |\d+[.)] |.* \| ")  # of a list or a table


def _staff_text(_block: Block, omissions: set[OmissionReason]) -> str:
    """Blocks that only course staff use."""
    omissions.add(OmissionReason.STAFF)
    return ""


def _html_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The content of a text block. Learners do not see its name."""
    return html_text(string(block, "data"), omissions)


def _problem_text(block: Block, omissions: set[OmissionReason]) -> str:
    """A problem, without answers that are not visible."""
    data = string(block, "data")
    return titled(
        "Problem", block.display_name, problem_text(data, answers_visible=block.answers_visible, omissions=omissions)
    )


def _discussion_text(block: Block, _omissions: set[OmissionReason]) -> str:
    """The topic of a discussion; its posts are not read."""
    place = (block.display_name, string(block, "discussion_category"), string(block, "discussion_target"))
    parts = dict.fromkeys(squeeze(name) for name in place)
    return titled("Discussion", " / ".join(name for name in parts if name and name.casefold() != "discussion"))


def _tool_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The name and description of an external tool; other fields are connection details."""
    return titled("External tool", block.display_name, rich_text(string(block, "description"), omissions))


def _unknown_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The readable fields of a block of an unknown type."""
    text = readable_text(block.fields, omissions)
    if not text:
        omissions.add(OmissionReason.UNKNOWN)
    return lines((squeeze(block.display_name), text))


def readable_text(fields: Mapping[str, Any], omissions: set[OmissionReason] | None = None) -> str:
    """The readable fields, one below the other, without those of graders or teachers.

    Args:
        fields: the fields of a block by name.
        omissions: the reasons for omitted parts are added to this set.
    """
    omissions = set() if omissions is None else omissions
    return "\n".join(dict.fromkeys(_readable(fields, omissions)))


def _readable(fields: Mapping[str, Any], omissions: set[OmissionReason]) -> Iterator[str]:
    room = MAX_MARKUP_CHARS - len("<div></div>")
    for name, value in fields.items():
        if name == "display_name" or not isinstance(value, str) or not _READABLE_NAME.fullmatch(name):
            continue
        if _SECRET_NAME.search(name) or _JSON_OR_ADDRESS.match(value):
            continue
        if not room:
            omissions.add(OmissionReason.TOO_LONG)
            return
        markup = clean(value, omissions)[:room]
        room -= len(markup)
        text = _markup_text(markup, omissions)
        beginning = text[:_CHECKED_CHARS]
        if _TWO_WORDS.search(beginning) or _UNSPACED.search(beginning):
            yield text


def _markup_text(markup: str, omissions: set[OmissionReason]) -> str:
    """The text of markup that may be a problem's: without answers and hints, also in malformed markup."""
    if not _PROBLEM_MARKUP.search(markup):
        return rich_text(markup, omissions)
    omissions.add(OmissionReason.ANSWERS)
    return problem_text(f"<div>{markup}</div>", answers_visible=False, omissions=omissions)


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


def _annotatable_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The instructions, and the passage with its annotations."""
    root = parse_html(string(block, "data"), omissions)
    return titled(
        "Annotated text", block.display_name, "" if root is None else _AnnotationWriter(omissions).write(root)
    )


# Takes a block, and a set to which the reasons for omitted parts are added.
Writer = Callable[[Block, set[OmissionReason]], str]

_WRITERS: Mapping[str, Writer] = {
    **dict.fromkeys(("html", "about", "course_info", "static_tab"), _html_text),
    "problem": _problem_text,
    "video": video_text,
    "discussion": _discussion_text,
    **dict.fromkeys(("lti", "lti_consumer"), _tool_text),
    "annotatable": _annotatable_text,
    "drag-and-drop-v2": exercises.drag_and_drop_text,
    "openassessment": exercises.open_assessment_text,
    **dict.fromkeys(("poll", "poll_question"), exercises.poll_text),
    "survey": exercises.survey_text,
    "word_cloud": exercises.word_cloud_text,
    **dict.fromkeys(exercises.QUESTIONS, exercises.question_text),
    **dict.fromkeys(exercises.FEEDBACK, exercises.feedback_text),
    **dict.fromkeys(("problem-builder", "step-builder", "sb-step", "pb-table"), exercises.container_text),
    **dict.fromkeys(("pb-answer-recap", "pb-column", "pb-dashboard"), exercises.passage_text),
    **dict.fromkeys(("pb-data-export", "pb-instructor-tool"), _staff_text),
}
# Containers without text of their own.
_ARRANGE = frozenset(
    {
        "course", "chapter", "sequential", "vertical", "videosequence", "problemset", "wrapper", "library_sourced",
        "sb-review-step", "unit", "subsection", "section", *PERSONAL_CONTAINERS,
    }
)  # fmt: skip
# Blocks whose text includes that of their children.
_WHOLE = exercises.QUESTIONS


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
    found: list[Omission] = []
    for block in blocks:
        reasons: set[OmissionReason] = set()
        if block.category in PERSONAL_CONTAINERS and not block.children:
            reasons.add(OmissionReason.PERSONAL)
        elif block.category not in _ARRANGE and not _is_selected(block, categories):
            reasons.add(OmissionReason.NOT_SELECTED)
        elif block.category not in _ARRANGE and not _read(block, reasons) and not reasons:
            reasons.add(OmissionReason.EMPTY)
        found += (Omission(block.usage_key, block.category, reason) for reason in sorted(reasons))
        if block.category not in _WHOLE:
            found += omissions(block.children, _inner(block, categories))
    return found


def omissions_at_location(
    readable: Sequence[Block],
    units: Iterable[Block],
    closed: Iterable[UsageKey],
    fitted: Fitted,
    categories: Collection[str] | None,
) -> Iterator[Omission]:
    """All omissions in the text of a location, for course staff.

    Args:
        readable: the units that were read.
        units: the same with the blocks that the site's rules exclude.
        closed: the blocks that the platform does not show to the person.
        fitted: the sections of the units, fitted.
        categories: the categories of blocks that are read; None for all.
    """
    yield from omissions(readable, categories)
    yield from _restricted(units, {block.usage_key for unit in readable for block in _walk(unit)})
    yield from (Omission(key, key.block_type, OmissionReason.CLOSED) for key in closed)
    for block in (piece.block for piece in fitted.trimmed()):
        if block is not None:
            yield Omission(block.usage_key, block.category, OmissionReason.TRIMMED)


def _restricted(blocks: Iterable[Block], readable: Collection[UsageKey]) -> Iterator[Omission]:
    """Omissions for the outermost blocks that are not readable."""
    for block in blocks:
        if block.usage_key in readable:
            yield from _restricted(block.children, readable)
        else:
            yield Omission(block.usage_key, block.category, OmissionReason.EXAM)


def _walk(block: Block) -> Iterator[Block]:
    yield block
    for child in block.children:
        yield from _walk(child)


def unit_sections(
    units: Iterable[Block],
    location: UsageKey,
    categories: Collection[str] | None = None,
    passages: Passages | None = None,
) -> list[Section]:
    """One section per unit with its blocks in reading order. The texts are read lazily.

    Args:
        units: complete units.
        location: the current location, for trimming.
        categories: only blocks of these categories, and the blocks in them; None for all.
        passages: labels the texts, so that an answer can cite them; None for texts without labels.
    """
    return [
        Section(
            heading=squeeze(unit.display_name),
            pieces=tuple(_pieces(unit, location, categories, _text_reader(unit, passages), here=False)),
            here=unit.usage_key == location,
            block=unit,
        )
        for unit in units
    ]


def _text_reader(unit: Block, passages: Passages | None) -> Callable[[Block], str]:
    return block_text if passages is None else partial(_labelled_text, unit=unit, passages=passages)


def _labelled_text(block: Block, *, unit: Block, passages: Passages) -> str:
    """The text of a block, in passages that each begin with a label."""
    parts = list(_split(block_text(block).splitlines()))
    seconds = seconds_of(block, parts) if block.category == "video" else repeat(None)
    # Learners see the titles of all blocks except for those of HTML, which are often "Text".
    titles = (unit.display_name, "" if block.category == "html" else block.display_name)
    title = joined(": ", *dict.fromkeys(titles))
    return "\n".join(
        labelled(Passage(block.usage_key, unit.usage_key, title, text, part, second), passages)
        for part, (text, second) in enumerate(zip(parts, seconds, strict=False))
    )


def _split(text_lines: Iterable[str]) -> Iterator[str]:
    """Split a text into passages at the ends of lines, but not within code, lists and tables."""
    passage: list[str] = []
    length, is_code = 0, False
    for line in text_lines:
        if length >= PASSAGE_CHARS and not is_code and not _WITHIN_BLOCK.match(line):
            yield "\n".join(passage)
            passage, length = [], 0
        passage.append(line)
        length += len(line)
        is_code ^= line.startswith(_CODE_FENCE)
    if length:
        yield "\n".join(passage)


def _pieces(
    block: Block,
    location: UsageKey,
    categories: Collection[str] | None,
    read: Callable[[Block], str],
    *,
    here: bool,
) -> Iterator[Piece]:
    here = here or block.usage_key == location
    is_whole = block.category in _WHOLE
    if _is_selected(block, categories):
        yield Piece(
            partial(read, block),
            here or (is_whole and any(part.usage_key == location for part in _walk(block))),
            block,
        )
    for child in () if is_whole else block.children:
        yield from _pieces(child, location, _inner(block, categories), read, here=here)


def _read(block: Block, reasons: set[OmissionReason]) -> str:
    if block.category in _ARRANGE:
        return ""
    return _WRITERS.get(block.category, _unknown_text)(block, reasons)


def _is_selected(block: Block, categories: Collection[str] | None) -> bool:
    return block.category not in _ARRANGE and (categories is None or block.category in categories)


def _inner(block: Block, categories: Collection[str] | None) -> Collection[str] | None:
    """Selecting a container selects the blocks in it too; a unit does not count as a container here."""
    is_chosen = categories is not None and block.category in categories and block.category != "vertical"
    return None if is_chosen else categories
