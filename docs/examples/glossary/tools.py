"""A tool: something that a model may call."""

import re
from typing import Annotated

from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.processors import OpenEdXProcessor
from openedx_ai_extensions.tools import ToolContext, llm_tool


@llm_tool(timeout=5, max_chars=4_000)
def sentences_with(context: ToolContext, term: Annotated[str, "A word or a short phrase."]) -> list[str]:
    """Find the sentences of this lesson that use a term. Use it to explain a term as the course does."""
    if context.location_id is None:
        raise ProcessorError("The learner is not on a page of the course.")
    content = OpenEdXProcessor(
        {"OpenEdXProcessor": {"retrieval_mode": "sequence"}},
        location_id=context.location_id,
        course_id=context.course_id,
        user=context.user,
    ).process()
    sentences = re.split(r"(?<=[.!?])\s+", str(content))
    return [sentence for sentence in sentences if term.lower() in sentence.lower()]
