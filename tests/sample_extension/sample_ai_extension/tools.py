"""A tool with a context, a hint and a default."""

from typing import Annotated

from openedx_ai_extensions.tools import ToolContext, llm_tool


@llm_tool()
def minutes_to_read(context: ToolContext, words: Annotated[int, "How many words."], pace: int = 200) -> dict:
    """Say how long a learner reads."""
    return {"minutes": -(-words // pace), "learner": context.user.get_username(), "course": str(context.course_id)}
