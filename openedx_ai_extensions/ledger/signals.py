"""Django signals that a site may connect to."""

from __future__ import annotations

from django.dispatch import Signal

# A limit of the site, a provider, a course or a profile is used to 80 or 100 %. Sent once for each limit, kind, period
# and threshold, by whichever process sees it first; what a run has reserved counts as used. Receivers get:
#   limit: accounting.limits.Limit: per, period, subject, allowed, starts_at, resets_at
#   kind: accounting.limits.Kind: requests, tokens or money
#   threshold: 80 or 100
#   used, allowed: of that kind; money in millionths of the site's currency
# Django logs a receiver that fails, and the run goes on. So be quick: somebody waits for an answer.
limit_reached = Signal()
