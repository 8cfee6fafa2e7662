"""From the platform's XBlocks to ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.edxapp.platform.imports import FIELD_SCOPE, load
from openedx_ai_extensions.edxapp.platform.transcripts import VideoFields, transcript
from openedx_ai_extensions.edxapp.platform.tree import Tree


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
