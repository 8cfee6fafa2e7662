"""What is said in a video, as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from openedx_ai_extensions.edxapp.platform.imports import (
    GET_TRANSCRIPT,
    TRANSCRIPT_NOT_FOUND,
    VIDEO_ERROR,
    VIDEO_TRANSCRIPT_DATA,
    load,
    load_all,
)
from openedx_ai_extensions.edxapp.platform.tree import Tree
from openedx_ai_extensions.edxapp.subtitles import transcript_text


class VideoFields(Mapping[str, Any]):
    """A video's fields with its ``transcript``, which is fetched when it is first read: each may be a file far away.

    Args:
        values: the other fields.
        fetch: returns the transcript.
    """

    def __init__(self, values: Mapping[str, Any], fetch: Callable[[], str]) -> None:
        self._values = values
        self._fetch = fetch

    def __getitem__(self, name: str) -> Any:
        return self._transcript if name == "transcript" else self._values[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._values
        yield "transcript"

    def __len__(self) -> int:
        return len(self._values) + 1

    @cached_property
    def _transcript(self) -> str:
        return self._fetch()


def transcript(block: Any, tree: Tree) -> str:
    """The transcript in the course's language, else in English, else the block's own choice; empty when there is none.

    Args:
        block: the video's XBlock.
        tree: its course.
    """
    video_id = (getattr(block, "edx_video_id", None) or "").strip()
    if video_id:
        for language in dict.fromkeys((tree.overview.language or "en", "en")):
            text = _kept_with_the_video(video_id, language)
            if text:
                return text
    return _kept_in_the_course(block)


def _kept_with_the_video(video_id: str, language: str) -> str:
    try:
        found = load(VIDEO_TRANSCRIPT_DATA)(video_id, language)
    except load(VIDEO_ERROR):
        return ""  # the record is there, its file is not
    return transcript_text(found["file_name"], _as_bytes(found["content"])) if found else ""


def _kept_in_the_course(block: Any) -> str:
    try:
        content, _filename, _mimetype = load(GET_TRANSCRIPT)(block, lang=None, output_format="txt")
    except load_all(TRANSCRIPT_NOT_FOUND):
        return ""
    return " ".join(_as_bytes(content).decode("utf-8-sig", "replace").split())


def _as_bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content
