"""The base classes of this package's admin pages, and how these show values that are not form fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import smart_split
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from opaque_keys import InvalidKeyError

from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.core.redaction import REDACTED, configured_secrets, masked_text
from openedx_ai_extensions.models import AIWorkflowProfile

# The lookups that Django's own filters use: a value, whether it is empty, or a related row.
_FILTER_SUFFIXES = ("", "__exact", "__isnull", "__id__exact", "__id__isnull")
MAX_SEARCH_WORDS = 20  # each word is a condition on each column, and databases limit the number of conditions
MAX_INTEGER_DIGITS = 18  # every number with so many digits fits a 64-bit column
TEMPLATES = "admin/openedx_ai_extensions"


class BaseAdmin(admin.ModelAdmin):
    """A model's admin whose list can be filtered only by what ``list_filter`` offers.

    Django allows lookups on every column. A person who may only view the list could then find out values that the list
    does not show, one letter at a time.

    Attributes:
        extra_lookups: lookups that other pages use in links to the list.
        masked_fields: fields of which people who may only view a row see a text without credentials. These people
            cannot search in them, because a search could find out what is masked.
    """

    extra_lookups: ClassVar[tuple[str, ...]] = ()
    masked_fields: ClassVar[tuple[str, ...]] = ()

    def extra_page(self, route: str, name: str, view: Callable[..., HttpResponseBase]) -> URLPattern:
        """The URL of a further page, for people who may view the rows; named ``admin:<app>_<model>_<name>``."""

        def checked_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return path(route, self.admin_site.admin_view(checked_view), name=self.url_name_of(name))

    def url_name_of(self, page: str) -> str:
        """The URL name of a page of this model, without the namespace."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def render(self, request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> TemplateResponse:
        """Render a page that has no change list and no change form."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, **context}
        return TemplateResponse(request, f"{TEMPLATES}/{template}", context, status=status)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        is_offered = lookup in self.extra_lookups or any(lookup in _lookups(each) for each in self.list_filter)
        return is_offered and not _exceeds_integer_column(value)

    def get_search_fields(self, request: HttpRequest) -> Any:
        hidden = () if self.has_change_permission(request) else self.masked_fields
        return [name for name in self.search_fields if name not in hidden]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, " ".join(first_words(search_term)))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.warn_of_credentials(request, obj, form)

    def warn_of_credentials(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Warn if a changed text seems to contain a credential."""
        values = [getattr(obj, name, None) for name in form.changed_data]
        secrets = configured_secrets() if values else ()
        if any(isinstance(value, str) and masked_text(value, secrets) != value for value in values):
            warning = _("A text seems to hold a credential. Others read {mask} instead, but it should not be there.")
            self.message_user(request, warning.format(mask=REDACTED), messages.WARNING)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The values that the URL fills in, without invalid ones: Django raises an error when it shows those."""
        initial = super().get_changeform_initial_data(request)
        return {name: value for name, value in initial.items() if self._accepts(name, value)}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = RowSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _accepts(self, name: str, value: Any) -> bool:
        try:
            return _is_valid_for(self.opts.get_field(name), value)
        except FieldDoesNotExist:
            return False


class ReadOnlyAdmin(BaseAdmin):
    """Rows can be viewed, but not added, changed or deleted.

    Attributes:
        cascade_permission: with this permission, rows are deleted together with a related row such as a user.
    """

    cascade_permission: ClassVar[str] = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        match = request.resolver_match
        is_own_page = match is None or (match.url_name or "").startswith(self.url_name_of(""))
        return bool(self.cascade_permission) and not is_own_page and request.user.has_perm(self.cascade_permission)


class PageAdmin(ReadOnlyAdmin):
    """A page without rows that is listed in the admin's index like a model. A subclass implements ``page``.

    Attributes:
        url_name: the name of the page's URL in the namespace ``admin``.
        permissions: people who have at least one of these can open the page.
        is_atomic: if the site has a transaction for each request, this page is part of it.
    """

    url_name: ClassVar[str]
    permissions: ClassVar[tuple[str, ...]]
    is_atomic: ClassVar[bool] = True

    def page(self, request: HttpRequest) -> HttpResponseBase:
        raise NotImplementedError

    def get_urls(self) -> list[Any]:
        index_page = self.extra_page("", "changelist", self.page)  # the index links to a page of this name
        if not self.is_atomic:
            transaction.non_atomic_requests(index_page.callback)
        return [path("", index_page.callback, name=self.url_name), index_page]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(map(request.user.has_perm, self.permissions))


def first_words(search_term: str) -> list[str]:
    """The words of a search that are used; further ones are ignored."""
    return list(islice(smart_split(search_term), MAX_SEARCH_WORDS))


def users_starting_with(word: str) -> QuerySet[Any]:
    """The users whose name or e-mail address starts with a word."""
    users = get_user_model()._default_manager
    return users.filter(Q(username__istartswith=word) | Q(email__istartswith=word))


class RowSelect(AutocompleteSelect):
    """A field for a related row that ignores invalid ids: Django raises an error when it shows those."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if _is_valid_for(self.field, each)], attrs)


def _is_valid_for(field: Any, value: Any) -> bool:
    """Is the value valid for the field, or as the id of the row that the field refers to?"""
    try:
        getattr(field, "target_field", field).to_python(value)
    except (ValidationError, InvalidKeyError):
        return False
    return not _exceeds_integer_column(value)


def _exceeds_integer_column(value: Any) -> bool:
    """Is it a whole number too large for an integer column? Some databases raise an error when they compare with it."""
    return isinstance(value, str) and len(value) > MAX_INTEGER_DIGITS and value.lstrip("-").isdigit()


def _lookups(listed: Any) -> set[str]:
    """The lookups of an entry of ``list_filter``."""
    if isinstance(listed, type):
        return {str(getattr(listed, "parameter_name", ""))}
    field = listed[0] if isinstance(listed, tuple) else listed
    return {field + suffix for suffix in _FILTER_SUFFIXES}


def code(text: str) -> SafeString:
    """Text with its line breaks and spaces."""
    return format_html('<pre class="aiext-code">{}</pre>', text)


def pretty_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def html_list(items: Iterable[Any]) -> SafeString:
    """The items as a list; empty when there are none."""
    rows = format_html_join("", "<li>{}</li>", ((item,) for item in items))
    return format_html('<ul class="aiext-list">{}</ul>', rows) if rows else rows


def change_link(obj: Model, text: str) -> SafeString:
    """A link to the admin page of a model instance."""
    url = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=(obj.pk,))
    return format_html('<a href="{}">{}</a>', url, text)


def status_text(profile: AIWorkflowProfile) -> str:
    """Usable, or broken and why."""
    problems = profile.problems()
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        return _("Broken: {reason}").format(reason=errors[0].text)
    if problems:
        text = ngettext("Usable, with {count} warning", "Usable, with {count} warnings", len(problems))
        return text.format(count=len(problems))
    return _("Usable")


def number(value: float) -> str:
    whole = round(value) if value == round(value) else value
    return formats.number_format(whole, force_grouping=True)


def seconds(milliseconds: int | None, decimals: int) -> str:
    """A duration in words; a dash if it is not known."""
    if milliseconds is None:
        return "–"
    return _("{seconds} s").format(seconds=formats.number_format(milliseconds / 1000, decimals))
