"""Django signals that a site may connect to."""

from __future__ import annotations

from django.dispatch import Signal

# A limit of the site, a provider, a course or a profile has reached 80 or 100 %. Sent once for each limit, kind, period
# and threshold, by the first process that notices; reservations count as used. Arguments for receivers:
#   limit: ledger.limits.Limit: per, period, subject, allowed, starts_at, resets_at
#   kind: ledger.limits.LimitKind: requests, tokens or money
#   threshold: 80 or 100
#   used, allowed: of that kind; money in millionths of the site's currency
# Exceptions of receivers are logged by Django and do not fail the run. Receivers should be fast: a person waits.
limit_reached = Signal()
