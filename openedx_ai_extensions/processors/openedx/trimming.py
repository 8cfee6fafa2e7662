"""Trims text to a number of characters: the parts nearest to the reader are kept."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from openedx_ai_extensions.edxapp.interface import Block

# Indices of a section, and of a piece in it.
Position = tuple[int, int]

_GAP = "\n\n"
_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f](?=\s)|\n")
# Minimum length of a truncated block; a shorter one is not worth its tokens.
_MIN_PART_CHARS = 80


class Piece:
    """A text that is kept or dropped as a whole.

    Args:
        text: the text, or a function that reads it: called once, and only if the piece may be kept.
        here: the piece is at the current location.
        block: the block of the text, for reports about trimming.
    """

    __slots__ = ("_text", "block", "here")

    def __init__(self, text: str | Callable[[], str], here: bool = False, block: Block | None = None) -> None:
        self._text = text
        self.here = here
        self.block = block

    @property
    def text(self) -> str:
        if not isinstance(self._text, str):
            self._text = self._text()
        return self._text


@dataclass(frozen=True, slots=True)
class Section:
    """Pieces under one heading; ``block`` is the block of the text, for reports about trimming."""

    heading: str
    pieces: tuple[Piece, ...] = ()
    here: bool = False
    block: Block | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """Sections as one text.

    Attributes:
        text: the text.
        sections: all sections.
        kept: the pieces in the text, with the part of their text that was kept.
    """

    text: str
    sections: Sequence[Section]
    kept: Mapping[Position, str]

    def pieces(self, section: int) -> Iterator[tuple[Piece, str]]:
        """The kept pieces of a section, each with the part of its text that was kept."""
        for p, piece in enumerate(self.sections[section].pieces):
            text = self.kept.get((section, p))
            if text:
                yield piece, text

    def trimmed(self) -> Iterator[Piece]:
        """The pieces that were dropped or truncated, in reading order. Reads all pieces."""
        for s, section in enumerate(self.sections):
            for p, piece in enumerate(section.pieces):
                if piece.text != self.kept.get((s, p), ""):
                    yield piece


def fit(sections: Sequence[Section], limit: int | None, *, near_end: bool = False) -> str:
    """The text of ``fitted``."""
    return fitted(sections, limit, near_end=near_end).text


def fitted(sections: Sequence[Section], limit: int | None, *, near_end: bool = False) -> Fitted:
    """Join sections to one text of at most ``limit`` characters.

    A longer text is trimmed piece by piece, with a notice in brackets at its end. The pieces nearest to the current
    location are kept; if a single piece at the location is too long, it is truncated at the end of a sentence.

    Args:
        sections: in reading order.
        limit: None for no limit.
        near_end: if no section is the location, the last one is the nearest instead of the first.
    """
    centre = _centre(sections, near_end)
    kept, is_all = _keep(sections, math.inf if limit is None else limit, centre)
    if limit is None:
        return Fitted(_render(sections, kept, lone_headings=True), sections, kept)
    if is_all:
        whole = _render(sections, kept, lone_headings=True)
        if len(whole) <= limit:
            return Fitted(whole, sections, kept)
    notice = _("[Part of the course text is left out here because it is too long.]")
    if limit < 3 * len(notice):
        notice = "[\u2026]"
    room = limit - len(notice) - len(_GAP)
    kept, _is_all = _keep(sections, room, centre)
    text = _render(sections, kept, lone_headings=False)
    if not text:
        here, around = _by_distance(sections, centre)
        texts = (_text(sections, position) for position in (*here, *around))
        nearest = next(filter(None, texts), _render(sections, {}, lone_headings=True))
        text = shorten(nearest, room)
        if not text:
            return Fitted(nearest[:limit], sections, kept)
    return Fitted(f"{text}{_GAP}{notice}", sections, kept)


def shorten(text: str, room: int) -> str:
    """Truncate a text to ``room`` characters at the end of a sentence or at least of a word, with an ellipsis."""
    if len(text) <= room:
        return text
    part = text[: max(room - 1, 0)]
    ends = [match.end() for match in _SENTENCE_END.finditer(part)]
    if ends and ends[-1] > len(part) // 2:
        part = part[: ends[-1]]
    elif " " in part:
        part = part[: part.rindex(" ")]
    return f"{part.rstrip()}\u2026" if part.strip() else ""


def _render(sections: Sequence[Section], kept: Mapping[Position, str], *, lone_headings: bool) -> str:
    """The kept pieces under their headings; ``lone_headings`` includes sections without kept pieces."""
    parts: list[str] = []
    for s, section in enumerate(sections):
        texts = [kept[s, p] for p in range(len(section.pieces)) if (s, p) in kept]
        if section.heading and (texts or lone_headings):
            parts.append(f"# {section.heading}")
        parts += texts
    return _GAP.join(parts)


def _centre(sections: Sequence[Section], near_end: bool) -> int:
    """The index of the section with the current location."""
    for s, section in enumerate(sections):
        if section.here or any(piece.here for piece in section.pieces):
            return s
    return len(sections) - 1 if near_end else 0


def _keep(sections: Sequence[Section], room: float, centre: int) -> tuple[dict[Position, str], bool]:
    """The pieces that fit, the nearest first, and whether all pieces fit.

    The first piece at the location that does not fit is truncated, if enough of it remains.
    """
    kept: dict[Position, str] = {}
    opened: set[int] = set()
    too_long: Position | None = None

    def overhead(section: int) -> int:
        heading = sections[section].heading
        return (len(_GAP) if kept else 0) + (len(f"# {heading}{_GAP}") if heading and section not in opened else 0)

    def fits(position: Position) -> bool:
        nonlocal room
        text = _text(sections, position)
        cost = overhead(position[0]) + len(text)
        if text and cost <= room:
            room -= cost
            kept[position] = text
            opened.add(position[0])
        return not text or position in kept

    here, around = _by_distance(sections, centre)
    for position in here:
        if not fits(position):
            too_long = too_long or position
    if too_long is None:
        return kept, all(fits(position) for position in around)
    part_room = int(room) - overhead(too_long[0])
    part = shorten(_text(sections, too_long), part_room) if part_room >= _MIN_PART_CHARS else ""
    return ({**kept, too_long: part} if part else kept), False


def _text(sections: Sequence[Section], position: Position) -> str:
    return sections[position[0]].pieces[position[1]].text


def _by_distance(sections: Sequence[Section], centre: int) -> tuple[list[Position], list[Position]]:
    """The positions of the pieces at the location, in reading order, and of all others, the nearest first."""
    if not sections:
        return [], []
    pieces = sections[centre].pieces
    everywhere = range(len(pieces))
    here = [p for p in everywhere if pieces[p].here] or list(everywhere)
    beside = sorted(set(everywhere) - set(here), key=lambda p: (min(abs(p - h) for h in here), p))
    around = [(centre, p) for p in beside]
    for distance in range(1, len(sections)):
        # Before the location, the end of a section is nearer than its beginning.
        if centre - distance >= 0:
            around += ((centre - distance, p) for p in reversed(range(len(sections[centre - distance].pieces))))
        if centre + distance < len(sections):
            around += ((centre + distance, p) for p in range(len(sections[centre + distance].pieces)))
    return [(centre, p) for p in here], around
