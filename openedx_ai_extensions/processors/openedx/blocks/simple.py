"""Blocks whose text is in a few fields: texts, external tools, discussions."""

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
    """The content of a text block. Learners do not see its name."""
    return html_text(string(block, "data"), omissions)


def problem_block_text(block: Block, omissions: set[OmissionReason]) -> str:
    """A problem, without answers that are not visible."""
    data = string(block, "data")
    return titled(
        "Problem", block.display_name, problem_text(data, answers_visible=block.answers_visible, omissions=omissions)
    )


def discussion_text(block: Block, _omissions: set[OmissionReason]) -> str:
    """The topic of a discussion; its posts are not read."""
    place = (block.display_name, string(block, "discussion_category"), string(block, "discussion_target"))
    parts = dict.fromkeys(squeeze(name) for name in place)
    return titled("Discussion", " / ".join(name for name in parts if name and name.casefold() != "discussion"))


def tool_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The name and description of an external tool; other fields are connection details."""
    return titled("External tool", block.display_name, rich_text(string(block, "description"), omissions))


def unknown_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The readable fields of a block of an unknown type."""
    text = readable_text(block.fields, omissions)
    if not text:
        omissions.add(OmissionReason.UNKNOWN)
    return lines((squeeze(block.display_name), text))
