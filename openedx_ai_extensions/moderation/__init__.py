"""What may be said to a model, and what may be shown of its answers: moderators, and the review that asks them."""

from openedx_ai_extensions.moderation.base import PASSED, Direction, Moderator, Screen, Settle, Verdict
from openedx_ai_extensions.moderation.registry import moderator_kind, moderator_problem
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
