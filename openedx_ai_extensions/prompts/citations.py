"""Citations: places in the course that an answer is based on.

Each passage of the course text gets a label, such as 【48213】, and the model is asked to repeat the labels of the
passages that it uses. The labels are removed from its answer. Those of passages that were in its request become
citations; all others are dropped, so that an invented or forbidden place is never shown. The number in a label depends
only on the place, so that a label in an older answer of a conversation never means another place.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.utils.translation import gettext as _
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp import get_platform

MAX_QUOTE_CHARS = 280  # of a passage that is shown with a citation
_FIRST_NUMBER, _NUMBERS = 10_000, 90_000  # five digits
_LABEL = re.compile(r"【\d{5}】")
_LIKE_LABEL = re.compile(r"【(?=\s*\d{5})")
# As models write labels: also several in one pair of brackets, or with a title after a dagger.
_BODY = r"\s?(?:\d{5}[\s,;、，]{0,3}){1,20}(?:†[^【】\n]{0,80})?"
_MARK = re.compile(f"【{_BODY}】")
_PART_OF_MARK = re.compile(r"【[\d\s,;、，]{0,160}(?:†[^【】\n]{0,80})?")
_HEADING = re.compile(r"#+ (.*\w)$")
_MAX_HELD_CHARS = 256
_SPACES = " \t\u00a0\u202f"

Citation: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a block's text.

    Attributes:
        block: the block.
        unit: its unit.
        title: of the unit and the block; may be empty.
        text: as the model reads it.
        part: the position of the passage in the block.
        second: at which it begins in a video; None for other blocks.
    """

    block: UsageKey
    unit: UsageKey
    title: str
    text: str
    part: int = 0
    second: int | None = None


# The labelled passages of one execution, by the number in their labels.
Passages: TypeAlias = dict[int, Passage]


def labelled(passage: Passage, passages: Passages) -> str:
    """The text of a passage behind its label, and add it to the passages. A label in the text itself is escaped."""
    number = zlib.crc32(f"{passage.block}#{passage.part}".encode()) % _NUMBERS
    while _is_taken(passages.get(_FIRST_NUMBER + number), passage):
        number = (number + 1) % _NUMBERS
    passages[_FIRST_NUMBER + number] = passage
    return f"【{_FIRST_NUMBER + number}】 {_LIKE_LABEL.sub('[', passage.text)}"


def passages_in(messages: Iterable[Mapping[str, Any]], passages: Passages) -> Passages:
    """The passages whose labels are in the messages from the course and from tools."""
    texts = (message["content"] for message in messages if message["role"] in {"system", "tool"})
    numbers = {int(label[1:-1]) for text in texts if text for label in _LABEL.findall(text)}
    return {number: passages[number] for number in numbers & passages.keys()}


def _is_taken(other: Passage | None, passage: Passage) -> bool:
    return other is not None and (other.block, other.part) != (passage.block, passage.part)


class CitationReader:
    """Takes the labels out of an answer as it arrives.

    Args:
        passages: those that may be cited.
        lists: write the numbers of citations into the text, and the list of sources at its end. Otherwise the text
            contains nothing of them.

    Attributes:
        citations: those found so far, in order: ``number`` (from 1; the same place has the same number), ``position``
            (in the text, in UTF-16 code units, as JavaScript counts), ``unit_id``, ``block_id``, ``title``, ``url``,
            ``quote`` (the beginning of the passage) and, for a video, ``second``.
    """

    def __init__(self, passages: Passages, *, lists: bool = False) -> None:
        self.citations: list[Citation] = []
        self._passages = passages
        self._lists = lists
        self._numbers: dict[int, int] = {}
        self._held = ""
        self._length = 0

    def feed(self, text: str) -> Iterator[str | Citation]:
        """The text that can be shown now, and the citations in it, in order."""
        text = self._held + text
        begin = 0
        for mark in _MARK.finditer(text):
            yield from self._shown(text[begin : mark.start()].rstrip(_SPACES))
            yield from self._cited(mark[0].partition("†")[0])
            begin = mark.end()
        rest = text[begin:]
        # A mark that has not arrived completely, and the spaces before a mark, are held back.
        opening = rest.rfind("【", max(len(rest) - _MAX_HELD_CHARS, 0))
        is_part = opening >= 0 and _PART_OF_MARK.fullmatch(rest, opening)
        end = max(len(rest[: opening if is_part else None].rstrip(_SPACES)), len(rest) - _MAX_HELD_CHARS)
        self._held = rest[end:]
        yield from self._shown(rest[:end])

    def end(self) -> Iterator[str]:
        """The rest of the text."""
        yield from self._shown(self._held)
        self._held = ""
        if self._lists and self.citations:
            yield f"\n\n{source_list(self.citations)}"

    def read_message(self, text: str, *, is_last: bool) -> tuple[str, list[Citation]]:
        """A complete message of the answer without labels, and the citations in it.

        Args:
            is_last: the list of sources is written into this message.
        """
        earlier, self._length = len(self.citations), 0
        pieces = [*self.feed(text), *self._shown(self._held)]
        self._held = ""
        shown = "".join(piece for piece in pieces if isinstance(piece, str))
        if is_last and self._lists and self.citations:
            shown = f"{shown}\n\n{source_list(self.citations)}"
        return shown, [] if self._lists else self.citations[earlier:]

    def _shown(self, text: str) -> Iterator[str]:
        if text:
            self._length += utf16_length(text)
            yield text

    def _cited(self, numbers: str) -> Iterator[str | Citation]:
        for label in map(int, re.findall(r"\d{5}", numbers)):
            passage = self._passages.get(label)
            if passage is None:
                continue
            number = self._numbers.setdefault(label, len(self._numbers) + 1)
            citation = _citation(passage, number, self._length)
            self.citations.append(citation)
            if self._lists:
                yield from self._shown(f" [{number}]" if self._length else f"[{number}] ")
            else:
                yield citation


def moved(citations: Iterable[Citation], by: int) -> list[Citation]:
    """The citations of a text that was appended to another text of this length, in UTF-16 code units."""
    return [{**citation, "position": citation["position"] + by} for citation in citations]


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def source_list(citations: Sequence[Citation]) -> str:
    """The sources as Markdown, one per line."""
    sources = {citation["number"]: citation for citation in citations}
    lines = (f"- [{number}] [{_link_text(source)}]({source['url']})" for number, source in sorted(sources.items()))
    return "\n".join([_("Sources:"), *lines])


def _link_text(citation: Citation) -> str:
    title = re.sub(r"([\\\[\]`*_<>])", r"\\\1", citation["title"]) or citation["block_id"]
    second = citation.get("second")
    return title if second is None else f"{title}, {second // 60}:{second % 60:02}"


def _as_sentence(heading: re.Match[str]) -> str:
    return f"{heading[1]}."


def _citation(passage: Passage, number: int, position: int) -> Citation:
    lines = (_HEADING.sub(_as_sentence, line) for line in passage.text.splitlines())
    quote = " ".join(" ".join(lines).split())
    return {
        "number": number,
        "position": position,
        "unit_id": str(passage.unit),
        "block_id": str(passage.block),
        "title": passage.title,
        "url": get_platform().block_link(passage.unit),  # the learning micro-frontend knows no smaller places
        "quote": quote if len(quote) <= MAX_QUOTE_CHARS else f"{quote[: MAX_QUOTE_CHARS - 1].rstrip()}…",
        **({} if passage.second is None else {"second": passage.second}),
    }
