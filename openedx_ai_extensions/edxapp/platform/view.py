"""From the platform's XBlocks to ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.edxapp.platform.imports import (
    FIELD_SCOPE,
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


def block_view(tree: Tree, usage_key: UsageKey) -> Block:
    """A block with those below it, as the tree's person sees them."""
    block = tree.block(usage_key)
    fields: Mapping[str, Any] = _field_values(block)
    if usage_key.block_type == "video":
        fields = VideoFields(fields, partial(transcript, block, tree))
    return Block(
        usage_key=usage_key,
        category=usage_key.block_type,
        display_name=getattr(block, "display_name", None) or "",
        fields=fields,
        answers_visible=_answers_visible(tree, usage_key, block),
        children=tuple(block_view(tree, child) for child in tree.children(usage_key)),
    )


def _field_values(block: Any) -> dict[str, Any]:
    """What the course team wrote. A learner's own state and what is only inherited stay out."""
    scope = load(FIELD_SCOPE)
    return {
        name: field.read_from(block)
        for name, field in block.fields.items()
        if field.scope == scope.content or (field.scope == scope.settings and field.is_set_on(block))
    }


def _answers_visible(tree: Tree, usage_key: UsageKey, block: Any) -> bool:
    """Has the show-answer rule opened the answers for everyone? What depends on a person's attempts stays closed.

    Only a block that is bound to a person could say more, and binding one costs reading that person's state.
    """
    rule, shows_correctness = getattr(block, "showanswer", None), getattr(block, "show_correctness", None) or "always"
    if rule not in {"always", "past_due", "closed"} or shows_correctness not in {"always", "past_due"}:
        return False
    return rule == shows_correctness == "always" or _is_over(tree, usage_key, block)


def _is_over(tree: Tree, usage_key: UsageKey, block: Any) -> bool:
    dates = [date for date in (getattr(block, "due", None), tree.due(usage_key)) if date]
    grace = getattr(block, "graceperiod", None) or timedelta()
    # Where everyone goes at their own pace, the course's dates bind nobody.
    return bool(dates) and max(dates) < datetime.now(UTC) - grace and not tree.overview.self_paced
