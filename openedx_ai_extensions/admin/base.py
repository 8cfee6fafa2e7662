"""The base class of this package's admin pages."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

# The look-ups that Django's own filters use: a value, whether it is empty, or a related row.
_FILTER_SUFFIXES = ("", "__exact", "__isnull", "__id__exact", "__id__isnull")
MAX_INTEGER_DIGITS = 18  # a 64-bit column takes any number of as many


class BaseAdmin(admin.ModelAdmin):
    """An admin page whose list is filtered only by what it offers in ``list_filter``.

    Django allows look-ups on every column of the model. Someone who may only view the list could then find out what it
    does not show, one letter at a time.

    Attributes:
        extra_lookups: further look-ups that are allowed because other pages link to the list with them.
    """

    extra_lookups: ClassVar[tuple[str, ...]] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        is_offered = lookup in self.extra_lookups or any(lookup in _lookups(each) for each in self.list_filter)
        return is_offered and not _exceeds_integer_column(value)


def _exceeds_integer_column(value: Any) -> bool:
    """Is it a whole number too large for an integer column? Some databases raise an error when they compare with it."""
    return isinstance(value, str) and len(value) > MAX_INTEGER_DIGITS and value.lstrip("-").isdigit()


def _lookups(listed: Any) -> set[str]:
    """The look-ups that a member of ``list_filter`` uses."""
    if isinstance(listed, type):
        return {str(getattr(listed, "parameter_name", ""))}
    field = listed[0] if isinstance(listed, tuple) else listed
    return {field + suffix for suffix in _FILTER_SUFFIXES}
