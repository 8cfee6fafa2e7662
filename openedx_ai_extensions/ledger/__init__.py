"""What runs cost, and how much of it is allowed.

``Run`` is the handle of one run: it reserves before a provider is called, and settles after. ``current_run`` is the one
under way in this context; ``limits`` says what is allowed, ``totals`` what was used.
"""

from openedx_ai_extensions.ledger.run import Hold, Outcome, Run, current_run

__all__ = ["Hold", "Outcome", "Run", "current_run"]
