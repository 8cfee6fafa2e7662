"""Converts subtitles to plain text."""

from __future__ import annotations

import html
import re

from openedx_ai_extensions.edxapp.safe_parsing import parse_json

# Patterns are applied to whole texts, for speed: a course may have hours of video.
_CUE = re.compile(r"^(?:\d{1,9} ?\n)?(?:\d{1,9}:)?\d\d:\d\d[,.]\d{1,9} ?-->.*", re.MULTILINE)
_MARKUP = re.compile(r"<[^<>\n]*>|\{\\[^{}\n]*\}")
_SPACES = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r" ?\n[ \n]*")
# Rolling captions repeat the previous line.
_REPEATED = re.compile(r"^(.+)(?:\n\1)+$", re.MULTILINE)


def transcript_text(name: str, data: bytes) -> str:
    """The speech in a subtitle file: SubRip, or Open edX's JSON format (``.sjson``); empty for other formats."""
    lines = _sjson_lines(data) if name.endswith(".sjson") else _srt_lines(data)
    lines = _SPACES.sub(" ", html.unescape(_MARKUP.sub("", lines)))
    lines = _REPEATED.sub(r"\1", _LINE_ENDS.sub("\n", lines))
    return " ".join(lines.split())


def _srt_lines(data: bytes) -> str:
    text = "\n".join(data.decode("utf-8-sig", "replace").splitlines())
    text = _LINE_ENDS.sub("\n", _SPACES.sub(" ", f"\n{text}"))
    first = _CUE.search(text)
    return _CUE.sub("", text[first.start() :]) if first else ""


def _sjson_lines(data: bytes) -> str:
    try:
        content = parse_json(data)
    except ValueError:
        return ""
    texts = content.get("text") if isinstance(content, dict) else None
    cues = [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
    return "\n".join(" ".join(cue.split()) for cue in cues)
