"""What has another name here: templates and orchestrators. All that is known of it stands in this file.

The public implementation's own files could not be looked at; a template is found by what its name says. Each guess is
reported, and ``--template`` decides otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from openedx_ai_extensions.workflows import template_utils
from openedx_ai_extensions.workflows.orchestrators.execution import BUILT_IN

# By the file's name, without its directory and suffix.
TEMPLATES: Mapping[str, str] = {
    "ask": "base/ask.json5",
    "answer_question": "base/ask.json5",
    "chat": "base/chat.json5",
    "chat_with_context": "base/chat.json5",
    "threaded_chat": "base/chat.json5",
    "custom_prompt": "base/custom_prompt.json5",
    "call_with_custom_prompt": "base/custom_prompt.json5",
    "eli5": "base/explain_like_five.json5",
    "explain_like_five": "base/explain_like_five.json5",
    "flashcards": "base/flashcards.json5",
    "generate_flashcards": "base/flashcards.json5",
    "greeting": "base/greeting.json5",
    "greet_from_llm": "base/greeting.json5",
    "mock": "examples/mock.json5",
    "mock_response": "examples/mock.json5",
    "mock_stream": "examples/mock_stream.json5",
    "mock_stream_response": "examples/mock_stream.json5",
    "educator_assistant": "base/quiz.json5",
    "generate_quiz_questions": "base/quiz.json5",
    "library_questions_assistant": "base/quiz.json5",
    "quiz": "base/quiz.json5",
    "summarize_content": "base/summary.json5",
    "summary": "base/summary.json5",
}


def template_for(path: str, chosen: Mapping[str, str]) -> str:
    """The template to use for an old path; the path itself where nothing is known of it.

    Args:
        path: as the old profile has it.
        chosen: what the operator said, by old path.
    """
    if path in chosen:
        return chosen[path]
    if template_utils.template_version(path) is not None:
        return path
    old = PurePosixPath(path)
    for suffix in template_utils.SUFFIXES:
        other = str(old.with_suffix(suffix)) if old.name else path
        if template_utils.template_version(other) is not None:
            return other
    return TEMPLATES.get(old.stem.lower().replace("-", "_"), path)


def orchestrator_for(name: str) -> str:
    """The name of an orchestrator here: one of the package's own, by whatever path it was named, by its short name."""
    package, _dot, short = name.rpartition(".")
    is_own = package.split(".")[0] == "openedx_ai_extensions"
    return short if is_own and short in BUILT_IN else name
