"""The site's rules: where AI is not available, and what people must accept first.

``Guard`` decides for one person at one location; ``places`` decides which content of a course an AI may read.
"""

from openedx_ai_extensions.policy.guard import Guard, RefusalReason

__all__ = ["Guard", "RefusalReason"]
