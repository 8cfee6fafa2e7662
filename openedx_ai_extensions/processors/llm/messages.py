"""From a prompt, the course and the learner's words to messages. The stable part comes first, for providers' caches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from openedx_ai_extensions.prompts.builtin import builtin_prompt

_FENCE = "course_content"
_ANY_FENCE = re.compile(rf"<(?=\s*/?\s*{_FENCE}\b)", re.IGNORECASE)


def fenced(text: str) -> str:
    """Course text marked as material. A fence inside the text can't close ours."""
    return f"<{_FENCE}>\n{_ANY_FENCE.sub('&lt;', text)}\n</{_FENCE}>"


def build_messages(
    *, prompt: str, context: str, chat_history: Sequence[dict[str, Any]], input_text: str
) -> list[dict[str, Any]]:
    """Messages in OpenAI's form: one system message, the history, and always a user message at the end.

    Args:
        prompt: what the model is to do.
        context: course text; may be empty.
        chat_history: earlier messages, oldest first.
        input_text: the learner's words; a plain request to start stands in when there are none.
    """
    system = [prompt, builtin_prompt("ground_rules")]
    if context:
        system.append(fenced(context))
    return [
        {"role": "system", "content": "\n\n".join(system)},
        *chat_history,
        {"role": "user", "content": input_text or builtin_prompt("begin")},
    ]
