"""Emoji on a database whose tables were made with MySQL's three-byte UTF-8: refused in words, not by a crash."""

from __future__ import annotations

import json

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions.models import AINotice, AIPause, AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from tests.api.conftest import Api
from tests.conftest import COURSE_ID

EMOJI = "Be kind \U0001f600"
REASON = "cannot store \U0001f600"
MODELS = (AINotice, AIPause, AIWorkflowProfile, AIWorkflowScope, PromptTemplate)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.mariadb,
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="SQLite stores every character: needs TEST_DATABASE=mariadb"
    ),
]


def text_columns(model):
    """The columns of text, and what the database says they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, column_type, is_nullable, collation_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name = %s AND character_set_name = 'utf8mb4'",
            [model._meta.db_table],
        )
        rows = cursor.fetchall()
    return [row for row in rows if row[3] != "utf8mb4_bin"]  # those hold JSON


def convert(model, columns, collation=None):
    changes = ", ".join(
        f"MODIFY `{name}` {kind} COLLATE {collation or own} {'NULL' if is_nullable == 'YES' else 'NOT NULL'}"
        for name, kind, is_nullable, own in columns
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE `{model._meta.db_table}` {changes}")


@pytest.fixture(scope="module")
def _three_bytes(django_db_setup, django_db_blocker):
    """Tables as on many sites. They are changed outside of the tests' transactions, which that would end."""
    with django_db_blocker.unblock():
        before = {model: text_columns(model) for model in MODELS}
        for model, columns in before.items():
            convert(model, columns, "utf8mb3_unicode_ci")
    yield
    with django_db_blocker.unblock():
        for model, columns in before.items():
            convert(model, columns)


@pytest.fixture
def admin(admin_user):
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    return client


def warnings():
    return [each for each in run_checks(databases=["default"]) if each.id == "openedx_ai_extensions.W004"]


def url(model, page, *arguments):
    return reverse(f"admin:openedx_ai_extensions_{model._meta.model_name}_{page}", args=arguments)


def test_complete_tables_take_emoji():
    assert warnings() == []
    PromptTemplate.objects.create(slug="kind", body=EMOJI)
    assert PromptTemplate.objects.get().body == EMOJI


def test_a_limited_connection_is_told():
    with connection.cursor() as cursor:
        cursor.execute("SET NAMES utf8mb3")
        try:
            (warning,) = warnings()
            assert "charset" in warning.hint
            with pytest.raises(ValidationError, match=REASON):
                PromptTemplate(slug="kind", body=EMOJI).save()
        finally:
            cursor.execute("SET NAMES utf8mb4")


@pytest.mark.usefixtures("_three_bytes")
class TestThreeBytes:
    def test_the_check_names_the_tables(self):
        (warning,) = warnings()
        assert all(model._meta.db_table in warning.msg for model in MODELS)
        assert "utf8mb4" in warning.hint

    @pytest.mark.parametrize(
        ("model", "fields"),
        [
            pytest.param(PromptTemplate, {"slug": "kind", "body": EMOJI}, id="prompt"),
            pytest.param(AINotice, {"text": EMOJI, "enabled": "on"}, id="notice"),
            pytest.param(AIPause, {"message": EMOJI, "enabled": "on"}, id="pause"),
            pytest.param(AIPause, {"location_regex": EMOJI, "enabled": "on"}, id="place of a pause"),
            pytest.param(
                AIWorkflowProfile,
                {"slug": "a", "base_filepath": "base/summary.json5", "content_patch": f"{{}} // {EMOJI}"},
                id="patch",
            ),
            pytest.param(
                AIWorkflowProfile,
                {"slug": "a", "base_filepath": "base/summary.json5", "description": EMOJI},
                id="description",
            ),
        ],
    )
    def test_the_admin_says_so(self, admin, model, fields):
        response = admin.post(url(model, "add"), fields)
        assert response.status_code == 200
        assert response.content.decode().count(REASON) == 1
        assert not model.objects.exists()

    def test_so_does_the_page_of_a_scope(self, admin, make_scope):
        scope = make_scope()
        fields = {"profile": scope.profile_id, "service_variant": "lms", "ui_slot_selector_id": "other"}
        response = admin.post(url(AIWorkflowScope, "change", scope.pk), {**fields, "location_regex": EMOJI})
        assert response.status_code == 200
        assert response.content.decode().count(REASON) == 1
        assert AIWorkflowScope.objects.get().location_regex != EMOJI

    def test_rest_says_so(self, admin_user):
        PromptTemplate.objects.create(slug="kind", body="Be kind.")
        response = Api(admin_user).patch_prompt("kind", {"body": EMOJI})
        assert response.status_code == 400
        assert REASON in str(response.json()["error"]["message"])
        assert PromptTemplate.objects.get().body == "Be kind."

    def test_the_course_page_says_so(self, author, make_scope):
        prompt = PromptTemplate.objects.create(slug="kind", body="Be kind.")
        make_scope(patch={"processor_config": {"LLMProcessor": {"prompt_template": "kind"}}})
        client = Client(raise_request_exception=False)
        client.force_login(author)
        page = reverse("openedx_ai_extensions:author:prompt", args=[COURSE_ID, prompt.pk])
        response = client.post(page, {"body": EMOJI})
        assert response.status_code == 400
        assert REASON in response.content.decode()

    def test_all_other_letters_are_taken(self):
        PromptTemplate.objects.create(slug="kind", body="Sé amable, كن لطيفًا, 亲切 ☺")
        assert json.dumps(EMOJI).isascii()  # so JSON columns never meet them
