"""Who may see and do what in the admin, and what a long list costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from tests.conftest import COURSE_ID, SECRET

MODELS = {"aiworkflowprofile": AIWorkflowProfile, "aiworkflowscope": AIWorkflowScope, "prompttemplate": PromptTemplate}


@pytest.fixture
def one_of_each(make_scope, broken_profile):
    PromptTemplate.objects.create(slug="kind-tutor", body="Be kind.")
    make_scope()


@pytest.mark.parametrize("model", MODELS)
def test_who_may_only_look_gets_pages_without_inputs(staff_with, one_of_each, model):
    clerk = staff_with(f"view_{model}")
    assert clerk.get(model).status == 200
    for pk in MODELS[model].objects.values_list("pk", flat=True):
        page = clerk.get(model, "change", pk=pk)
        assert page.status == 200
        assert page.find("//div[@id='content']//*[self::textarea or self::select]") == []
        assert page.find("//input[@type='submit' and @name='_save']") == []
    assert clerk.get(model, "add").status == 403
    assert clerk.post(model, "change", {"slug": "taken-over"}, pk=pk).status == 403


@pytest.mark.parametrize("model", MODELS)
def test_without_permission_there_is_no_page(staff_with, one_of_each, model):
    clerk = staff_with()
    pk = MODELS[model].objects.values_list("pk", flat=True)[0]
    assert {clerk.get(model).status, clerk.get(model, "add").status, clerk.get(model, "change", pk=pk).status} == {403}


@pytest.mark.parametrize("model", MODELS)
def test_who_may_only_add_gets_the_add_page(staff_with, model):
    clerk = staff_with(f"add_{model}")
    page = clerk.get(model, "add")
    assert page.status == 200
    assert page.find("//div[@id='content']//textarea | //div[@id='content']//select")


def test_who_may_only_look_cannot_switch_scopes(staff_with, make_scope):
    scope = make_scope()
    staff_with("view_aiworkflowscope").act("aiworkflowscope", "disable", [scope.pk])
    scope.refresh_from_db()
    assert scope.enabled


@pytest.mark.parametrize(
    "patch",
    [
        "{our_extension: {api_key: 'patched-key', temperature: 0.5}}",
        "// the key is patched-key-12345678\n{note: 'sk-aaaaaaaaaaaaaaaaaaaaaaaa', temperature: 0.5}",
        f"// the key is {SECRET}\n{{temperature: 0.5}}",
    ],
    ids=["under its name", "by its form", "a configured one in a comment"],
)
def test_who_may_only_look_sees_no_credential_of_a_patch(staff_with, make_scope, provider, patch):
    profile = make_scope(patch=patch).profile
    page = staff_with("view_aiworkflowprofile").get("aiworkflowprofile", "change", pk=profile.pk)
    assert "0.5" in page.shown("patch_to_read")
    assert "the key is" not in page.source
    for secret in ("patched-key", "sk-aaaa", SECRET):
        assert secret not in page.source


def test_who_may_only_look_sees_a_harmless_patch_with_its_comments(staff_with, make_scope):
    profile = make_scope(patch="// softer\n{note: 'x'}").profile
    page = staff_with("view_aiworkflowprofile").get("aiworkflowprofile", "change", pk=profile.pk)
    assert page.shown("patch_to_read") == "// softer {note: 'x'}"


def test_the_one_who_writes_sees_the_patch_as_it_is(staff_with, make_scope):
    profile = make_scope(patch="{note: 'sk-aaaaaaaaaaaaaaaaaaaaaaaa'}").profile
    clerk = staff_with("view_aiworkflowprofile", "change_aiworkflowprofile")
    page = clerk.get("aiworkflowprofile", "change", pk=profile.pk)
    assert page.value("content_patch") == "{note: 'sk-aaaaaaaaaaaaaaaaaaaaaaaa'}"


@pytest.mark.parametrize("model", MODELS)
def test_a_longer_list_costs_no_more_queries(admin, make_scope, model):
    def grow(count):
        for number in range(AIWorkflowProfile.objects.count(), count):
            PromptTemplate.objects.create(slug=f"prompt-{number}", body="Be kind.")
            patch = {"processor_config": {"LLMProcessor": {"prompt_template": f"prompt-{number}"}}}
            # One slot and course, so that the filters stay the same.
            make_scope(slug=f"profile-{number}", patch=patch, course_id=COURSE_ID, location_regex=f"unit_{number}")

    def queries(count):
        grow(count)
        with CaptureQueriesContext(connection) as captured:
            page = admin.get(model)
        assert len(page.find("//table[@id='result_list']/tbody/tr")) == count
        return len(captured)

    grow(2)
    admin.get(model)
    assert queries(2) == queries(20)
