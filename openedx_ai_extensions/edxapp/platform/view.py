"""Converts the platform's XBlocks to the blocks of our interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.edxapp.platform.imports import EdX
from openedx_ai_extensions.edxapp.platform.tree import Tree
from openedx_ai_extensions.edxapp.subtitles import transcript_text


class VideoFields(Mapping[str, Any]):
    """A video's fields with its ``transcript``, which is fetched when it is first read: it may be a remote file."""

    def __init__(self, values: Mapping[str, Any], fetch_transcript: Callable[[], str]) -> None:
        self._values = values
        self._fetch_transcript = fetch_transcript

    def __getitem__(self, name: str) -> Any:
        return self._transcript if name == "transcript" else self._values[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._values
        yield "transcript"

    def __len__(self) -> int:
        return len(self._values) + 1

    @cached_property
    def _transcript(self) -> str:
        return self._fetch_transcript()


def _transcript(block: Any, tree: Tree) -> str:
    """The transcript in the course's language, else in English, else the block's default; empty if there is none."""
    video_id = (getattr(block, "edx_video_id", None) or "").strip()
    if video_id:
        for language in dict.fromkeys((tree.overview.language or "en", "en")):
            text = _uploaded_transcript(video_id, language)
            if text:
                return text
    try:
        content, _filename, _mimetype = EdX.get_transcript(block, lang=None, output_format="txt")
    except EdX.TranscriptNotFoundErrors:
        return ""
    return " ".join(_as_bytes(content).decode("utf-8-sig", "replace").split())


def _uploaded_transcript(video_id: str, language: str) -> str:
    """A transcript that was uploaded with the video, and not with the course."""
    try:
        found = EdX.get_video_transcript_data(video_id, language)
    except EdX.ValError:
        return ""  # the record exists, its file does not
    return transcript_text(found["file_name"], _as_bytes(found["content"])) if found else ""


def _as_bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def block_view(tree: Tree, usage_key: UsageKey) -> Block:
    """A block with its descendants, as the tree's person sees them."""
    block = tree.block(usage_key)
    fields: Mapping[str, Any] = _field_values(block)
    if usage_key.block_type == "video":
        fields = VideoFields(fields, partial(_transcript, block, tree))
    return Block(
        usage_key=usage_key,
        category=usage_key.block_type,
        display_name=getattr(block, "display_name", None) or "",
        fields=fields,
        answers_visible=_answers_visible(tree, usage_key, block),
        children=tuple(block_view(tree, child) for child in tree.children(usage_key)),
    )


def _field_values(block: Any) -> dict[str, Any]:
    """What the course team wrote, without learners' state and inherited values."""
    scope = EdX.Scope
    return {
        name: field.read_from(block)
        for name, field in block.fields.items()
        if field.scope == scope.content or (field.scope == scope.settings and field.is_set_on(block))
    }


def _answers_visible(tree: Tree, usage_key: UsageKey, block: Any) -> bool:
    """Does the show-answer rule show the answers to everyone? Rules that depend on a person's attempts do not.

    Only a block that is bound to a person could tell, and binding one takes reading that person's state.
    """
    rule, shows_correctness = getattr(block, "showanswer", None), getattr(block, "show_correctness", None) or "always"
    if rule not in {"always", "past_due", "closed"} or shows_correctness not in {"always", "past_due"}:
        return False
    return rule == shows_correctness == "always" or _is_past_due(tree, usage_key, block)


def _is_past_due(tree: Tree, usage_key: UsageKey, block: Any) -> bool:
    dates = [date for date in (getattr(block, "due", None), tree.due(usage_key)) if date]
    grace = getattr(block, "graceperiod", None) or timedelta()
    # In a self-paced course, its dates do not apply.
    return bool(dates) and max(dates) < datetime.now(UTC) - grace and not tree.overview.self_paced
