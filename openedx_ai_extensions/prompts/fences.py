"""The fences around the course text, what learners write and what tools return, in every request to a model.

Models are told not to mention them, but some repeat their tags, which mean nothing to people.
"""

from __future__ import annotations

import re

COURSE, LEARNER, TOOL = LABELS = ("course_content", "learner_message", "tool_result")
FENCE_TAGS = tuple(f"<{slash}{label}>" for label in LABELS for slash in ("", "/"))
FENCE_TAG = re.compile("|".join(FENCE_TAGS), re.IGNORECASE)


def without_fence_tags(text: str) -> str:
    """A text of a model without the tags that it repeats."""
    return FENCE_TAG.sub("", text) if "<" in text else text
