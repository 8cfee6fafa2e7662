"""The speech of a video: subtitles of any format as paragraphs."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.parsing import clean, lines, squeeze, string, titled

_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_TIMING = re.compile(rf"{_TIME}\s*+-->\s*+{_TIME}")
_LONE_TIME = re.compile(rf"[\[(]?{_TIME}[\])]?(?:\s*+[-\u2013]\s*+{_TIME})?")
_BRACKETED_TIME = re.compile(rf"[\[(]{_TIME}[\])]\s*+")
_VTT_LINE = re.compile(r"WEBVTT\b.*|NOTE\b.*|STYLE|REGION|X-TIMESTAMP-MAP.*|(?:Kind|Language):\s?\S+")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<\d[\d:.]*>|\{\\[^{}]{0,200}\}")
# Descriptions of sounds.
_SOUND = re.compile(r"\[[^\[\]]{1,40}\]|\([^()]{1,40}\)|[\u266a\u266b\s]+")
_SPEAKER = re.compile(r">>+\s*|\u2013\s+|-\s+(?=[^\W\d])")
_SENTENCE_END = re.compile(r"[.!?\u2026][\"'\u201d\u2019)]*(?=\s)|[\u3002\uff01\uff1f]")
# The minimum length of a paragraph.
_PARAGRAPH_CHARS = 600
_FOUND_CHARS = 60  # that find a paragraph in its transcript


def video_text(block: Block, omissions: set[OmissionReason]) -> str:
    """A video's title and its speech."""
    transcript = clean(string(block, "transcript"), omissions)
    said = lines(paragraph for turn in _turns(transcript) for paragraph in _paragraphs(turn))
    return titled("Video", block.display_name, f"Transcript: {said}" if said else "")


def seconds_of(block: Block, passages: Iterable[str]) -> Iterator[int | None]:
    """The second of the video at which each passage begins; None if the transcript has no times for it.

    Args:
        passages: consecutive parts of ``video_text``; each begins with a line of it.
    """
    transcript = block.fields.get("transcript") or ""
    times: Sequence[tuple[int, int]] = getattr(transcript, "times", ())
    positions = [position for position, _second in times]
    start = 0
    for passage in passages:
        words = passage.rpartition("Transcript: ")[2].partition("\n")[0][:_FOUND_CHARS]
        position = transcript.find(words, start) if times and words else -1
        cue = bisect_right(positions, position) - 1
        yield times[cue][1] if cue >= 0 else None
        start = max(start, position)


def _turns(transcript: str) -> Iterator[str]:
    """The text of each speaker, if the subtitles mark the changes."""
    turn: list[str] = []
    for cue in _cues(transcript):
        speaker = _SPEAKER.match(cue)
        if speaker and turn:
            yield " ".join(turn)
            turn = []
        words = cue[speaker.end() :] if speaker else cue
        # Rolling captions repeat the previous line.
        if words and (not turn or turn[-1] != words):
            turn.append(words)
    if turn:
        yield " ".join(turn)


def _cues(transcript: str) -> Iterator[str]:
    """The lines with words in SubRip, WebVTT or plain text."""
    rows = [row.strip() for row in transcript.splitlines()]
    is_vtt = bool(rows) and rows[0].startswith("WEBVTT")
    for number, row in enumerate(rows):
        following = rows[number + 1] if number + 1 < len(rows) else ""
        is_name = bool(_TIMING.match(following)) and (row.isdigit() or not number or not rows[number - 1])
        if is_name or _TIMING.match(row) or _LONE_TIME.fullmatch(row) or (is_vtt and _VTT_LINE.fullmatch(row)):
            continue
        words = squeeze(html.unescape(_MARKUP.sub("", _BRACKETED_TIME.sub("", row))))
        if words and not _SOUND.fullmatch(words):
            yield words


def _paragraphs(turn: str) -> Iterator[str]:
    """Split a long text into paragraphs that end with a sentence."""
    begin = 0
    for end in _SENTENCE_END.finditer(turn):
        if end.end() - begin >= _PARAGRAPH_CHARS:
            yield turn[begin : end.end()].strip()
            begin = end.end()
    yield turn[begin:].strip()
