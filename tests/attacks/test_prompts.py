"""Prompts over REST: who changes one leaves a record, overwrites nobody, and learns nothing from a refusal."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from openedx_ai_extensions.models import PromptTemplate
from openedx_ai_extensions.prompts.models import MAX_BODY_CHARS
from tests.api.conftest import Api, error_of
from tests.conftest import COURSE_ID

HERE = {"courseId": COURSE_ID}


@pytest.fixture
def prompt(make_scope):
    prompt = PromptTemplate.objects.create(slug="tutor", body="You are a tutor.")
    make_scope(patch={"processor_config": {"LLMProcessor": {"prompt_template": "tutor"}}})
    return prompt


def test_a_change_leaves_a_record(prompt, author):
    assert Api(author).patch_prompt("tutor", {"body": "Be kind."}, HERE).status_code == 200
    (entry,) = LogEntry.objects.all()
    assert (entry.user_id, entry.object_id, entry.get_edited_object()) == (author.pk, str(prompt.pk), prompt)
    assert "Be kind" not in entry.change_message


def test_what_changes_nothing_leaves_none(prompt, author):
    Api(author).patch_prompt("tutor", {"body": prompt.body}, HERE)
    assert not LogEntry.objects.exists()


def test_a_stale_change_overwrites_nobody(prompt, author):
    api = Api(author)
    read = api.prompt("tutor", HERE)
    etag, updated_at = read["ETag"], read.json()["updated_at"]
    assert api.patch_prompt("tutor", {"body": "First.", "updated_at": updated_at}, HERE).status_code == 200
    stale = api.patch_prompt("tutor", {"body": "Second.", "updated_at": updated_at}, HERE)
    assert error_of(stale) == (409, "outdated")
    stale = api.patch_prompt("tutor", {"body": "Second."}, HERE, headers={"If-Match": etag})
    assert error_of(stale) == (409, "outdated")
    prompt.refresh_from_db()
    assert prompt.body == "First."
    fresh = api.prompt("tutor", HERE)["ETag"]
    assert api.patch_prompt("tutor", {"body": "Second."}, HERE, headers={"If-Match": fresh}).status_code == 200


@pytest.mark.parametrize("moment", ["yesterday", 7, "2026-01-01T00:00:00", "2026-99-99T00:00:00Z", [], ""])
def test_what_is_no_moment_is_refused(prompt, author, moment):
    response = Api(author).patch_prompt("tutor", {"body": "Second.", "updated_at": moment}, HERE)
    assert error_of(response) == (400, "validation_error")


def test_a_prompt_has_a_length(prompt, author, admin_client):
    assert error_of(Api(author).patch_prompt("tutor", {"body": "x" * (MAX_BODY_CHARS + 1)}, HERE)) == (
        400,
        "validation_error",
    )
    form = {"slug": "tutor", "body": "x" * (MAX_BODY_CHARS + 1)}
    page = admin_client.post(f"/admin/openedx_ai_extensions/prompttemplate/{prompt.pk}/change/", form)
    assert "longer than 100000 characters" in page.content.decode()
    prompt.refresh_from_db()
    assert prompt.body == "You are a tutor."


@pytest.mark.parametrize("person", ["learner", "stranger"])
@pytest.mark.parametrize("context", [HERE, {}], ids=["in a course", "anywhere"])
def test_a_refusal_does_not_tell_which_slugs_exist(prompt, request, person, context):
    api = Api(request.getfixturevalue(person))
    for call in (api.prompt, lambda slug, where: api.patch_prompt(slug, {"body": "x"}, where)):
        there, not_there = call("tutor", context), call("none", context)
        assert (error_of(there), error_of(not_there)) == ((403, "permission_denied"), (403, "permission_denied"))


def test_a_refusal_costs_the_same_however_many_courses_use_it(prompt, make_scope, learner):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert Api(learner).prompt("tutor", {}).status_code == 403
        return len(captured)

    queries()
    before = queries()
    for number in range(60):
        make_scope(slug=f"p{number}", slot=f"s{number}", course_id=f"course-v1:Org+C{number}+1",
                   patch={"processor_config": {"LLMProcessor": {"prompt_template": "tutor"}}})  # fmt: skip
    queries()
    assert queries() <= before
