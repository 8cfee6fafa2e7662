"""Blocks whose words are a few fields: texts, tools beside the course, places to talk."""

from __future__ import annotations

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.capa import problem_text
from openedx_ai_extensions.processors.openedx.blocks.fields import lines, string, titled
from openedx_ai_extensions.processors.openedx.blocks.markup import html_text, rich_text, squeeze
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.unknown_blocks import readable_text


def for_staff(_block: Block, omissions: set[OmissionReason]) -> str:
    """Blocks that only course staff use."""
    omissions.add(OmissionReason.STAFF)
    return ""


def html_block_text(block: Block, omissions: set[OmissionReason]) -> str:
    """A text. Learners do not see its name."""
    return html_text(string(block, "data"), omissions)


def problem_block_text(block: Block, omissions: set[OmissionReason]) -> str:
    """A problem, as far as it is open."""
    data = string(block, "data")
    return titled(
        "Problem", block.display_name, problem_text(data, answers_visible=block.answers_visible, omissions=omissions)
    )


def discussion_text(block: Block, _omissions: set[OmissionReason]) -> str:
    """Where people talk, and about what; what they say is theirs."""
    place = (block.display_name, string(block, "discussion_category"), string(block, "discussion_target"))
    parts = dict.fromkeys(squeeze(name) for name in place)
    return titled("Discussion", " / ".join(name for name in parts if name and name.casefold() != "discussion"))


def tool_text(block: Block, omissions: set[OmissionReason]) -> str:
    """An external tool by its name and description: the rest is how to reach it."""
    return titled("External tool", block.display_name, rich_text(string(block, "description"), omissions))


def unknown_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The fields of any other block that are known to hold text for learners."""
    text = readable_text(block.fields, omissions)
    if not text:
        omissions.add(OmissionReason.UNKNOWN)
    return lines((squeeze(block.display_name), text))
