"""Blocks to read, and people who read them."""

from __future__ import annotations

from typing import Any

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import Block

COURSE_ID = "course-v1:OpenedX+AIX+demo"


def demo_key(name: str) -> UsageKey:
    """``vertical/unit_sunlight`` as a usage key of the demo course."""
    category, _, block_id = name.partition("/")
    return UsageKey.from_string(f"block-v1:OpenedX+AIX+demo+type@{category}+block@{block_id}")


def block(category: str, block_id: str = "x", display_name: str = "", *children: Block, **fields: Any) -> Block:
    open_answers = fields.pop("answers_visible", False)
    key = demo_key(f"{category}/{block_id}")
    return Block(key, category, display_name, fields, answers_visible=open_answers, children=children)
