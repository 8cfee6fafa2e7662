"""Why an archive is not read, in words for whoever put it there."""

from __future__ import annotations

from django.utils.functional import Promise


class BadArchive(Exception):
    """An archive that is not read.

    Args:
        reason: part of a sentence, for the operator.
    """

    def __init__(self, reason: str | Promise) -> None:
        self.reason = reason
        super().__init__(str(reason))


class HostileArchive(BadArchive):
    """It tries something that no export does."""


class DamagedArchive(BadArchive):
    """It is cut off, altered, or not an archive."""
