"""A tool with OpenAI's schema of it, and no context."""

from openedx_ai_extensions.functions.decorators import llm_tool

SCHEMA = {
    "type": "function",
    "function": {
        "name": "count_words",
        "description": "Count the words of a text.",
        "parameters": {
            "type": "object",
            "properties": {"text": {"type": "string", "description": "The text."}},
            "required": ["text"],
        },
    },
}


@llm_tool(SCHEMA)
def count_words(text):
    return f"{len(text.split())} words"
