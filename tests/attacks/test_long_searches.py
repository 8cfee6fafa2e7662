"""A search of many words is cut: each would be a condition for each column, and databases take only so many."""

from __future__ import annotations

import pytest
from django.contrib import admin as django_admin
from django.urls import reverse

pytestmark = pytest.mark.django_db

SEARCHED = [
    model
    for model, page in django_admin.site._registry.items()
    if model._meta.app_label == "openedx_ai_extensions" and not hasattr(page, "page") and page.search_fields
]


@pytest.mark.parametrize("model", SEARCHED, ids=lambda model: model.__name__)
@pytest.mark.parametrize("word", ["word", "1", '"two words"'])
def test_a_search_of_thousands_of_words_is_answered(admin_client, model, word):
    address = reverse(f"admin:openedx_ai_extensions_{model._meta.model_name}_changelist")
    assert admin_client.get(address, {"q": f"{word} " * 3000}).status_code == 200
