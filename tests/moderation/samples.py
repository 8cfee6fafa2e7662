"""A moderator as an extension writes one."""

from __future__ import annotations

from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.moderation import PASSED, Direction, Moderator, Verdict


class NoQuestions(Moderator):
    """Refuses questions, in words of the site's own."""

    def check(self, text: str, direction: Direction, run: Run) -> Verdict:
        if self.options.get("mark", "?") in text:
            return Verdict(is_refused=True, categories=("question",), message="Call 0800 123, they can help.")
        return PASSED
