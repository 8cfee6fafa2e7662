"""A moderator: nobody's e-mail address goes to a model."""

import re

from django.utils.translation import gettext_lazy as _

from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.moderation import PASSED, Direction, Moderator, Verdict, moderator_kind

ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.\w")


@moderator_kind("no_addresses")
class NoAddresses(Moderator):
    """Refuses texts with an e-mail address in them."""

    def check(self, text: str, direction: Direction, run: Run) -> Verdict:
        if ADDRESS.search(text) is None:
            return PASSED
        message = _("Please leave out e-mail addresses.") if direction is Direction.BEFORE else ""
        return Verdict(is_refused=True, categories=("address",), message=message)
