"""Blocks whose words are a few fields: texts, tools beside the course, places to talk."""

from __future__ import annotations

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.capa import problem_text
from openedx_ai_extensions.processors.openedx.blocks.fields import lines, string, titled
from openedx_ai_extensions.processors.openedx.blocks.markup import html_text, rich_text, squeeze
from openedx_ai_extensions.processors.openedx.blocks.omissions import Reason
from openedx_ai_extensions.processors.openedx.blocks.unknown_blocks import prose


def for_staff(_block: Block, left_out: set[Reason]) -> str:
    """Blocks that only course staff use."""
    left_out.add(Reason.STAFF)
    return ""


def html_block_text(block: Block, left_out: set[Reason]) -> str:
    """A text. Learners do not see its name."""
    return html_text(string(block, "data"), left_out)


def problem_block_text(block: Block, left_out: set[Reason]) -> str:
    """A problem, as far as it is open."""
    data = string(block, "data")
    return titled(
        "Problem", block.display_name, problem_text(data, answers_visible=block.answers_visible, left_out=left_out)
    )


def discussion_text(block: Block, _left_out: set[Reason]) -> str:
    """Where people talk, and about what; what they say is theirs."""
    place = (block.display_name, string(block, "discussion_category"), string(block, "discussion_target"))
    parts = dict.fromkeys(squeeze(name) for name in place)
    return titled("Discussion", " / ".join(name for name in parts if name and name.casefold() != "discussion"))


def tool_text(block: Block, left_out: set[Reason]) -> str:
    """An external tool by its name and description: the rest is how to reach it."""
    return titled("External tool", block.display_name, rich_text(string(block, "description"), left_out))


def unknown_text(block: Block, left_out: set[Reason]) -> str:
    """The fields of any other block that are known to hold text for learners."""
    text = prose(block.fields, left_out)
    if not text:
        left_out.add(Reason.UNKNOWN)
    return lines((squeeze(block.display_name), text))
