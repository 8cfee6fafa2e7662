"""The base class of this package's admin pages."""

from __future__ import annotations

from itertools import islice
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.text import smart_split
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError

from openedx_ai_extensions.core.redaction import REDACTED, configured_secrets, masked_text

# The look-ups that Django's own filters use: a value, whether it is empty, or a related row.
_FILTER_SUFFIXES = ("", "__exact", "__isnull", "__id__exact", "__id__isnull")
MAX_SEARCH_WORDS = 20  # each is a condition for each column, and databases take only so many
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What is found by the first words of a search; more of them say nothing new."""
        return super().get_search_results(request, queryset, " ".join(first_words(search_term)))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.warn_of_credentials(request, obj, form)

    def warn_of_credentials(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Warn of a text that was changed and seems to hold a credential."""
        values = [getattr(obj, name, None) for name in form.changed_data]
        secrets = configured_secrets() if values else ()
        if any(isinstance(value, str) and masked_text(value, secrets) != value for value in values):
            warning = _("A text seems to hold a credential. Others read {mask} instead, but it should not be there.")
            self.message_user(request, warning.format(mask=REDACTED), messages.WARNING)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What an address fills in, without values that no field could have; Django fails to show those."""
        initial = super().get_changeform_initial_data(request)
        return {name: value for name, value in initial.items() if self._could_hold(name, value)}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = RowSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _could_hold(self, name: str, value: Any) -> bool:
        try:
            return _could_be(self.opts.get_field(name), value)
        except FieldDoesNotExist:
            return False


def first_words(search_term: str) -> list[str]:
    """The words of a search that are looked for."""
    return list(islice(smart_split(search_term), MAX_SEARCH_WORDS))


class RowSelect(AutocompleteSelect):
    """A field for another row. Django fails to show what is no id; the form says that there is no such row."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if _could_be(self.field, each)], attrs)


def _could_be(field: Any, value: Any) -> bool:
    """Could the field hold this value, or refer to a row with this id?"""
    try:
        getattr(field, "target_field", field).to_python(value)
    except (ValidationError, InvalidKeyError):
        return False
    return not _exceeds_integer_column(value)


def _exceeds_integer_column(value: Any) -> bool:
    """Is it a whole number too large for an integer column? Some databases raise an error when they compare with it."""
    return isinstance(value, str) and len(value) > MAX_INTEGER_DIGITS and value.lstrip("-").isdigit()


def _lookups(listed: Any) -> set[str]:
    """The look-ups that a member of ``list_filter`` uses."""
    if isinstance(listed, type):
        return {str(getattr(listed, "parameter_name", ""))}
    field = listed[0] if isinstance(listed, tuple) else listed
    return {field + suffix for suffix in _FILTER_SUFFIXES}


class PageAdmin(BaseAdmin):
    """Stands in the admin's index like a model, for those who have one of ``permissions``. A subclass writes ``page``.

    Attributes:
        url_name: the page's, in the namespace ``admin``.
        permissions: of these, one is enough.
        is_atomic: runs within the request's transaction, where the site has one.
    """

    url_name: ClassVar[str]
    permissions: ClassVar[tuple[str, ...]]
    is_atomic: ClassVar[bool] = True

    def page(self, request: HttpRequest) -> HttpResponseBase:
        raise NotImplementedError

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self._view)
        if not self.is_atomic:
            view = transaction.non_atomic_requests(view)
        return [
            path("", view, name=self.url_name),
            # The index looks for it by this name.
            path("", view, name=f"{self.opts.app_label}_{self.opts.model_name}_changelist"),
        ]

    def _view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.page(request)

    def context(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        """What every page of the admin shows."""
        return {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, **more}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(map(request.user.has_perm, self.permissions))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
