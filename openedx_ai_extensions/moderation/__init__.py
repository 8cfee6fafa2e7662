"""Moderation of messages to a model and of its answers: moderators, and the review that calls them."""

from openedx_ai_extensions.moderation.base import (
    PASSED,
    Direction,
    Moderator,
    Screen,
    Settle,
    Verdict,
    moderator_kind,
    moderator_problem,
)
from openedx_ai_extensions.moderation.review import Review
from openedx_ai_extensions.moderation.words import WordList

__all__ = [
    "PASSED",
    "Direction",
    "Moderator",
    "Review",
    "Screen",
    "Settle",
    "Verdict",
    "WordList",
    "moderator_kind",
    "moderator_problem",
]
