"""The built-in tools. The learner's permissions apply to every key that a model sends, and all refusals are the same: a
model cannot find out what exists.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Block, OutlineNode, RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.policy.guard import is_readable
from openedx_ai_extensions.processors.openedx.processor import OpenEdXProcessor
from openedx_ai_extensions.tools.registry import ToolContext, llm_tool

MAX_CHARS = 20_000
MAX_LISTED = 40
MAX_TITLE_CHARS = 100

LocationId = Annotated[
    str | None,
    "Key of a place in this course, as get_context gives it. Leave it out for the place where the learner is.",
]


@llm_tool
def get_context(context: ToolContext) -> dict[str, Any]:
    """Tell where the learner is: the course, the place in it, the chapter, sequence and unit that it belongs to, and
    what lies around it, with the keys that other tools take. Use it first when the learner speaks of "this" course or
    page.
    """
    platform, user, course_key = context.platform, context.user, _course_key(context)
    if course_key is None or not platform.can_see_course(user, course_key):
        return {"course": None, "location": None}
    told: dict[str, Any] = {
        "course": {"id": str(course_key), "title": _short(platform.course_info(course_key).title)},
        "location": None,
    }
    chapters = platform.course_outline(user, course_key)
    try:
        location = _location(context, None)
        units = platform.content(user, location, RetrievalMode.UNIT)
    except ProcessorError:
        return {**told, "around": _listed(chapters)}
    path = _path(chapters, location)
    if not path and len(units) == 1:
        path = _path(chapters, units[0].usage_key)  # the outline ends at units, and the location is inside one
    unit = next((unit for unit in units if path and unit.usage_key == path[-1].usage_key), None)
    here = _find([*path, *([unit] if unit else [])], location)
    told["location"] = _entry(here) if here else {"id": str(location)}
    for word, node in zip(("chapter", "sequence"), path[:-1] if unit else path, strict=False):
        told[word] = _entry(node)
    if unit is None:
        return {**told, "around": _listed(path[-1].children if path else chapters)}
    told |= {"unit": _entry(unit), "blocks": _listed(unit.children, location)}
    return {**told, "around": _listed(path[-2].children if len(path) > 1 else chapters, unit.usage_key)}


@llm_tool(max_chars=MAX_CHARS)
def get_location_content(
    context: ToolContext,
    location_id: LocationId = None,
    retrieval_mode: Annotated[
        Literal["unit", "sequence"], "How much: the unit of the place, or all the units of its sequence."
    ] = "unit",
) -> str:
    """Read the text of a place in the course, as this learner sees it: pages, problems without their answers, and the
    transcripts of videos. Long content is shortened around the place.
    """
    location = _location(context, location_id)
    return _read(
        context,
        {"function": "get_location_content", "retrieval_mode": retrieval_mode},
        location_id=location,
        course_id=location.context_key,
    )


@llm_tool
def get_location_link(context: ToolContext, location_id: LocationId = None) -> str:
    """Give the web address at which the learner can open a place in the course. Use it to send the learner there."""
    return context.platform.block_link(_location(context, location_id))


@llm_tool(max_chars=MAX_CHARS)
def get_course_info(context: ToolContext) -> str:
    """Read what the course says about itself: title, descriptions, overview, syllabus, language and dates."""
    course_key = _course_key(context)
    if course_key is None or not context.platform.can_see_course(context.user, course_key):
        raise _refusal()
    return _read(context, {"function": "get_course_info"}, course_id=course_key)


@llm_tool(
    parameters={
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 1, "maximum": 20, "default": 1, "description": "How many dice."},
            "sides": {"type": "integer", "minimum": 2, "maximum": 1000, "default": 6, "description": "Of each die."},
        },
        "additionalProperties": False,
    }
)
def roll_dice(context: ToolContext, count: int = 1, sides: int = 6) -> dict[str, Any]:
    """Roll dice and tell what they show: true randomness, which a model by itself does not have."""
    dice = random.SystemRandom()
    # In JSON Schema, 6.0 is an integer too.
    rolls = [dice.randint(1, int(sides)) for _die in range(int(count))]
    return {"rolls": rolls, "total": sum(rolls)}


def _refusal() -> ProcessorError:
    return ProcessorError(_("This part of the course does not exist or is not open to you."))


def _course_key(context: ToolContext) -> CourseKey | None:
    """The learner's course; tools do not read other courses."""
    if context.course_id is not None or context.location_id is None:
        return context.course_id
    key = context.location_id.context_key
    return key if isinstance(key, CourseKey) else None


def _location(context: ToolContext, location_id: str | None) -> UsageKey:
    """The requested location, if it is in this course, the learner may see it, and AI is allowed there.

    Raises:
        ProcessorError: a condition is not met.
    """
    try:
        location = UsageKey.from_string(location_id) if location_id else context.location_id
    except InvalidKeyError:
        raise _refusal() from None
    if location is None or location.context_key != _course_key(context):
        raise _refusal()
    if not context.platform.can_see_block(context.user, location) or not is_readable(context.user, location):
        raise _refusal()
    return location


def _read(context: ToolContext, config: dict[str, Any], **where: Any) -> str:
    processor = OpenEdXProcessor(
        {OpenEdXProcessor.__name__: {**config, "char_limit": MAX_CHARS}}, user=context.user, **where
    )
    try:
        return processor.text(context.passages) or _("There is no text here.")
    except ProcessorError:
        raise _refusal() from None


def _path(nodes: Sequence[OutlineNode], key: UsageKey) -> list[OutlineNode]:
    """The nodes from the chapter down to a node of the outline; empty if it is not in the outline."""
    for node in nodes:
        if node.usage_key == key:
            return [node]
        below = _path(node.children, key)
        if below:
            return [node, *below]
    return []


def _find(nodes: Sequence[Block | OutlineNode], key: UsageKey) -> Block | OutlineNode | None:
    for node in nodes:
        found = node if node.usage_key == key else _find(node.children, key)
        if found:
            return found
    return None


def _listed(nodes: Sequence[Block | OutlineNode], centre: UsageKey | None = None) -> list[dict[str, str]]:
    """The nodes nearest to ``centre``, or the first ones."""
    position = next((index for index, node in enumerate(nodes) if node.usage_key == centre), 0)
    start = max(0, min(position - MAX_LISTED // 2, len(nodes) - MAX_LISTED))
    return [_entry(node) for node in nodes[start : start + MAX_LISTED]]


def _entry(node: Block | OutlineNode) -> dict[str, str]:
    return {"id": str(node.usage_key), "type": node.category, "title": _short(node.display_name)}


def _short(title: str) -> str:
    return title if len(title) <= MAX_TITLE_CHARS else f"{title[:MAX_TITLE_CHARS]}\u2026"
