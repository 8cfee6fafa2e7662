"""The address of a list in the admin finds nothing by what the list does not offer."""

from __future__ import annotations

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import models
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions.models import AIWorkflowSession
from tests.conftest import SECRET

pytestmark = pytest.mark.django_db

OURS = {
    model: page
    for model, page in django_admin.site._registry.items()
    if model._meta.app_label == "openedx_ai_extensions"
}
LISTED = {model: page for model, page in OURS.items() if not hasattr(page, "page") and page.list_filter}
# What Django's filters, and links of ours, ask for.
ASKED_BY_FILTERS = {"exact", "isnull"}


@pytest.fixture
def clerk(db):
    """May look at everything, and at nothing that takes a permission of its own."""
    user = get_user_model().objects.create_user("clerk", is_staff=True)
    permissions = Permission.objects.filter(
        content_type__app_label="openedx_ai_extensions", codename__startswith="view_"
    )
    user.user_permissions.set(permissions.exclude(codename="view_transcript"))
    client = Client()
    client.force_login(user)
    return client


def list_of(model) -> str:
    return reverse(f"admin:openedx_ai_extensions_{model._meta.model_name}_changelist")


def lookups_of(model, *, prefix="", deep=True):
    """Each column with each kind of look-up, those of related rows too."""
    for field in model._meta.get_fields():
        name = prefix + field.name
        if field.is_relation:
            yield from ((name, name), (name, f"{name}__isnull"))
            if deep and field.related_model:
                yield from lookups_of(field.related_model, prefix=f"{name}__", deep=False)
            continue
        yield name, name
        yield from ((name, f"{name}__{kind}") for kind in field.get_lookups())
        if isinstance(field, models.JSONField):
            yield from ((name, f"{name}__drafts"), (name, f"{name}__drafts__icontains"))
        if isinstance(field, models.DateTimeField):
            yield from ((name, f"{name}__date__gt"), (name, f"{name}__year"))


def test_every_page_of_ours_is_walked():
    assert {model._meta.model_name for model in LISTED} > {"aiworkflowprofile", "aiworkflowsession", "aiworkflowrun"}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.model_name)
def test_no_list_is_searched_by_what_it_does_not_offer(clerk, rf, model):
    page = OURS[model]
    offered = {
        str(each[0] if isinstance(each, tuple) else getattr(each, "parameter_name", each)) for each in page.list_filter
    }
    for column, lookup in lookups_of(model):
        kind = lookup.rpartition("__")[2] if "__" in lookup else "exact"
        is_offered = lookup in getattr(page, "extra_lookups", ()) or (
            column.removesuffix("__id") in offered and (lookup == column or kind in ASKED_BY_FILTERS)
        )
        assert page.lookup_allowed(lookup, "x", rf.get("/")) <= is_offered, lookup


@pytest.mark.parametrize("model", LISTED, ids=lambda model: model._meta.model_name)
def test_what_a_list_offers_works_with_any_value(clerk, model):
    page = LISTED[model]
    for each in page.list_filter:
        name = each[0] if isinstance(each, tuple) else getattr(each, "parameter_name", each)
        for ending in ("", "__exact", "__isnull", "__id__exact"):
            for value in ("", "0", "x", "9" * 30, "-1", "\0", "😀", "'\"<"):
                assert clerk.get(list_of(model), {name + ending: value}).status_code in {200, 302, 400}, (name, value)
    for value in ("9" * 30, "-1", "\0", "x", "1.5"):
        for parameter in ("p", "o", "e", "all", "q", "_to_field", "_facets"):
            response = clerk.get(list_of(model), {parameter: value})
            assert response.status_code in {200, 302, 400}, (parameter, value)


def test_a_key_is_not_read_letter_by_letter(clerk, make_scope, provider):
    profile = make_scope(patch=f"{{api_key: '{SECRET}'}}").profile
    for lookup in ("contains", "regex", "startswith", "iregex", "gt", "lt"):
        assert clerk.get(list_of(type(profile)), {f"content_patch__{lookup}": SECRET[:4]}).status_code == 400


def test_nor_is_a_session(clerk, make_scope, learner):
    scope = make_scope()
    AIWorkflowSession.objects.create(user=learner, scope=scope, profile=scope.profile, metadata={"drafts": ["a word"]})
    for lookup in ("metadata__icontains", "metadata__drafts__icontains", "profile__content_patch__contains",
                   "user__password__startswith"):  # fmt: skip
        assert clerk.get(list_of(AIWorkflowSession), {lookup: "a"}).status_code == 400
