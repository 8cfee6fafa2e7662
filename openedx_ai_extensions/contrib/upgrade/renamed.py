"""Templates, which have other names here. All that is known of it stands in this file.

The public implementation's own files could not be looked at; a template is found by what its name says. Each guess is
reported, and ``--template`` decides otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from openedx_ai_extensions.workflows import template_utils

# By words that the file's name begins with, or that follow an underscore there; the first that fits counts.
TEMPLATES: Mapping[tuple[str, ...], str] = {
    ("mock", "stream"): "examples/mock_stream.json5",
    ("mock",): "examples/mock.json5",
    ("library", "question"): "base/quiz.json5",
    ("quiz",): "base/quiz.json5",
    ("educator",): "base/quiz.json5",
    ("flashcard",): "base/flashcards.json5",
    ("chat",): "base/chat.json5",
    ("greet",): "base/greeting.json5",
    ("eli5",): "base/explain_like_five.json5",
    ("explain",): "base/explain_like_five.json5",
    ("summar",): "base/summary.json5",
    ("ask",): "base/ask.json5",
    ("answer",): "base/ask.json5",
    ("custom",): "base/custom_prompt.json5",
}
# For a base without an orchestrator, to which profiles add all that matters.
BLANK = "blank"
FOR_BLANK = "base/summary.json5"


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
    words = _words(path)
    if _has(words, BLANK):
        return FOR_BLANK
    fitting = (ours for wanted, ours in TEMPLATES.items() if all(_has(words, word) for word in wanted))
    return next(fitting, path)


def was_blank(path: str, new_path: str, chosen: Mapping[str, str]) -> bool:
    """Did the old template run nothing, unless a profile added what does, and is ours only the nearest to it?"""
    return _has(_words(path), BLANK) and new_path == FOR_BLANK and path not in chosen


def _words(path: str) -> list[str]:
    return PurePosixPath(path).stem.lower().replace("-", "_").split("_")


def _has(words: Sequence[str], start: str) -> bool:
    return any(word.startswith(start) for word in words)
