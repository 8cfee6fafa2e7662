"""The cost of runs, and the limits on it.

``Run`` is the account of one run: it reserves before a provider is called and settles afterwards. ``limits`` finds the
limits that apply, ``counters`` the current usage.
"""

from openedx_ai_extensions.ledger.run import Outcome, Reservation, Run

__all__ = ["Outcome", "Reservation", "Run"]
