"""Subtitles to plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from itertools import zip_longest

from openedx_ai_extensions.edxapp.standalone.values import parse_json

_TIMING = re.compile(r"\s*(?:\d+:)?\d\d:\d\d[,.]\d+\s*-->")
_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")


def transcript_text(name: str, data: bytes) -> str:
    """What is said in a subtitle file: SubRip, or Open edX's own JSON form (``.sjson``); empty when it is neither."""
    return _spoken(_sjson_cues(data) if name.endswith(".sjson") else _srt_cues(data))


def _srt_cues(data: bytes) -> Iterable[str]:
    lines = data.decode("utf-8-sig", "replace").splitlines()
    started = False
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        if _TIMING.match(line):
            started = True
        elif started and not (line.strip().isdigit() and _TIMING.match(following)):
            yield line


def _sjson_cues(data: bytes) -> Iterable[str]:
    try:
        content = parse_json(data)
    except ValueError:
        return []
    texts = content.get("text") if isinstance(content, dict) else None
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []


def _spoken(cues: Iterable[str]) -> str:
    said: list[str] = []
    for cue in cues:
        text = " ".join(html.unescape(_MARKUP.sub("", cue)).split())
        # Rolling captions repeat the line before.
        if text and (not said or said[-1] != text):
            said.append(text)
    return " ".join(said)
