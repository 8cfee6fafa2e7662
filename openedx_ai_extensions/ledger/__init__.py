"""What runs cost, and how much of it is allowed.

``Run`` is the handle of one run: it reserves before a provider is called, and settles after. ``limits`` says
what is allowed, ``counters`` what was used.
"""

from openedx_ai_extensions.ledger.run import Outcome, Reservation, Run

__all__ = ["Outcome", "Reservation", "Run"]
