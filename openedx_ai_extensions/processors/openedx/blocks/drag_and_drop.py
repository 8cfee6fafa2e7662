"""Drag and drop: items and zones; with visible answers also which item belongs where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.fields import (
    items,
    joined,
    lines,
    mappings,
    string,
    structure,
    text_in,
    titled,
)
from openedx_ai_extensions.processors.openedx.blocks.markup import html_text, rich_text, squeeze
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason


def drag_and_drop_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The question, the zones and the items; answers and feedback only if they are visible."""
    data = structure(block, "data", omissions)
    data = data if isinstance(data, Mapping) else {}
    picture = squeeze(text_in(data, "targetImgDescription"))
    text = titled(
        "Drag and drop",
        block.display_name or text_in(data, "title"),
        rich_text(string(block, "question_text") or text_in(data, "questionText"), omissions),
        f"[Image: {picture}]" if picture else "",
        lines(("Zones:", *zones) if (zones := list(_zones(data, omissions))) else ()),
        lines(("Items:", *named) if (named := list(_items(data, block.answers_visible, omissions))) else ()),
        *_remarks(data, block.answers_visible, omissions),
    )
    if data and not block.answers_visible:
        omissions.add(OmissionReason.ANSWERS)
    return text


def _zones(data: Mapping[str, Any], omissions: set[OmissionReason]) -> Iterator[str]:
    for zone in mappings(data.get("zones")):
        words = joined(": ", *(html_text(text_in(zone, name), omissions) for name in ("title", "description")))
        if words:
            yield f"- {words}"


def _items(data: Mapping[str, Any], answers_visible: bool, omissions: set[OmissionReason]) -> Iterator[str]:
    names = _zone_names(data)
    for item in mappings(data.get("items")):
        picture = squeeze(text_in(item, "imageDescription"))
        name = html_text(text_in(item, "displayName"), omissions)
        words = joined(" ", name, f"[Image: {picture}]" if picture else "")
        if not words:
            continue
        if not answers_visible:
            yield f"- {words}"
            continue
        places = [names.get(str(zone), "") for zone in items(item.get("zones") or [item.get("zone")])]
        belongs = " / ".join(filter(None, places)) or "no zone"
        remark = squeeze(html_text(text_in(item.get("feedback"), "correct"), omissions))
        yield joined(" ", f"- {words} (belongs to: {belongs})", f"[{remark}]" if remark else "")


def _zone_names(data: Mapping[str, Any]) -> dict[str, str]:
    """The titles of zones, by the ids and titles that items refer to."""
    names: dict[str, str] = {}
    for zone in mappings(data.get("zones")):
        title = squeeze(html_text(text_in(zone, "title")))
        names |= {str(zone.get(key)): title for key in ("uid", "id", "title") if zone.get(key) is not None}
    return names


def _remarks(data: Mapping[str, Any], answers_visible: bool, omissions: set[OmissionReason]) -> Iterator[str]:
    """The text before and after the exercise."""
    feedback = data.get("feedback")
    yield rich_text(text_in(feedback, "start"), omissions)
    if answers_visible:
        yield rich_text(text_in(feedback, "finish"), omissions)
        yield rich_text(text_in(data, "explanation"), omissions)
