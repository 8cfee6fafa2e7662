"""Where AI must not be, and what people must accept first.

``Guard`` answers for one person at one place; ``places`` says what of a course an AI may read for whom.
"""

from openedx_ai_extensions.policy.guard import Guard, RefusalReason

__all__ = ["Guard", "RefusalReason"]
